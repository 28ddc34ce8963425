// Package exitstatus is the one place where wait statuses, exit codes and signals
// become one another. Exit codes 0 to 254 belong to the user's command, 255 is
// ours.
package exitstatus

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Ours is the exit code of every failure of dockersh itself, as it is of ssh.
const Ours = 255

// maxSignal is the last real-time signal.
const maxSignal = 64

// signaled is what a shell adds to the number of a signal to get an exit code.
const signaled = 128

// Split returns the exit code, or the signal (not 0) that ended the process.
// status is in the format of wait4(2), but may come from a hostile agent: what is
// not the end of a process counts as a death by SIGKILL.
func Split(status uint32) (code int, sig unix.Signal) {
	ws := unix.WaitStatus(status)
	switch {
	case ws.Exited():
		return ws.ExitStatus(), 0
	case ws.Signaled() && ws.Signal() > 0 && ws.Signal() <= maxSignal && !isStop(ws.Signal()):
		return 0, ws.Signal()
	}
	return 0, unix.SIGKILL
}

// isStop reports whether a process only stops by sig.
func isStop(sig unix.Signal) bool {
	return sig == unix.SIGSTOP || sig == unix.SIGTSTP || sig == unix.SIGTTIN || sig == unix.SIGTTOU
}

// OfCode returns the wait status of a process that exited with code.
func OfCode(code int) uint32 { return uint32(code&0xff) << 8 }

// SignalCode returns the exit code that shells and engines report for a process
// that sig ended.
func SignalCode(sig unix.Signal) int { return signaled + int(sig) }

// IsKill reports whether code is what shells and engines report for a process that
// SIGKILL ended.
func IsKill(code int) bool { return code == SignalCode(unix.SIGKILL) }

// SignalName returns the name of sig without SIG, or its number if it has no name.
func SignalName(sig unix.Signal) string {
	if name, ok := strings.CutPrefix(unix.SignalName(sig), "SIG"); ok {
		return name
	}
	return strconv.Itoa(int(sig))
}
