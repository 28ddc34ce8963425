// Package exitstatus is the one place where a wait status becomes an exit code or
// a signal. Codes 0 to 254 belong to the user's command, 255 is ours.
package exitstatus

import "golang.org/x/sys/unix"

// Ours is the exit code of every failure of dockersh itself, as ssh's own.
const Ours = 255

// Split gives the exit code, or the signal (not 0) that ended the process.
// status is as wait4(2) gives it, but may come from a hostile agent: what is no
// end of a process counts as a death by SIGKILL.
func Split(status uint32) (code int, sig unix.Signal) {
	ws := unix.WaitStatus(status)
	switch {
	case ws.Exited():
		return ws.ExitStatus(), 0
	case ws.Signaled() && ws.Signal() > 0 && ws.Signal() <= 64:
		return 0, ws.Signal()
	}
	return 0, unix.SIGKILL
}
