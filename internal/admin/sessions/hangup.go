package sessions

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/root/state"
)

// hangUpLimit is how long the login shell of a session has to end by itself, killLimit
// how long it has once it is killed.
const (
	hangUpLimit = 5 * time.Second
	killLimit   = 5 * time.Second
)

// dying is a session that is to end, with a descriptor of its login shell: the number
// of a process can be given to another one.
type dying struct {
	state.Session
	fd     int // -1: it has ended
	killed bool
	err    error
}

// hangUp ends sessions as the end of their connection would, and kills those that do
// not end within hangUpLimit. The result has the order of all.
func hangUp(all []state.Session) []*dying {
	var list []*dying
	for _, r := range all {
		d := &dying{Session: r}
		d.fd, d.err = openFront(r)
		list = append(list, d)
		// A stopped process handles SIGHUP only after SIGCONT. sshd closes the PAM session at
		// SIGTERM.
		if r.Connection {
			d.send(unix.SIGTERM)
		} else {
			d.send(unix.SIGHUP)
		}
		d.send(unix.SIGCONT)
	}
	waitFor(list, hangUpLimit)
	for _, d := range list {
		if d.fd >= 0 {
			d.killed = true
			d.send(unix.SIGKILL)
		}
	}
	waitFor(list, killLimit)
	for _, d := range list {
		if d.fd >= 0 {
			_ = unix.Close(d.fd)
			d.err = errors.Join(d.err, errors.New("its login shell does not end"))
		}
	}
	return list
}

// openFront returns a pidfd of the login shell of a session, or -1 without an error if
// it has ended.
func openFront(r state.Session) (int, error) {
	fd, err := sys.Pidfd(r.Pid)
	if errors.Is(err, unix.ESRCH) {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	// The descriptor stays with this process, which must be the one of the entry, and
	// its user's, or sshd's as root: the number may have been another's when it was opened.
	owner := r.UID
	if r.Connection {
		owner = 0
	}
	if uid, err := proc.UID(r.Pid); err == nil && uid == owner && r.IsLive() {
		return fd, nil
	}
	return -1, unix.Close(fd)
}

// send sends a signal to the login shell, unless it has ended.
func (d *dying) send(sig unix.Signal) {
	if d.fd < 0 {
		return
	}
	if err := sys.SignalPidfd(d.fd, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		d.err = errors.Join(d.err, err)
	}
}

// waitFor waits until all have ended, for at most limit. It closes the descriptors of
// those that have.
func waitFor(all []*dying, limit time.Duration) {
	for end := time.Now().Add(limit); ; {
		var fds []unix.PollFd
		var of []*dying
		for _, d := range all {
			if d.fd >= 0 {
				fds = append(fds, unix.PollFd{Fd: int32(d.fd), Events: unix.POLLIN})
				of = append(of, d)
			}
		}
		left := time.Until(end)
		if len(fds) == 0 || left <= 0 {
			return
		}
		if _, err := sys.Poll(fds, int(left.Milliseconds())+1); err != nil {
			return
		}
		for i, f := range fds {
			if f.Revents != 0 {
				_ = unix.Close(of[i].fd)
				of[i].fd = -1
			}
		}
	}
}

// AwaitEnd waits for the end of sessions whose container has ended, and ends those
// itself that are still there after hangUpLimit. Connections in its network, which leads
// nowhere by now, are ended then. It returns how many sessions have ended.
func AwaitEnd(in []state.Session) (ended int, err error) {
	all, connections := split(in)
	left := all
	for end := time.Now().Add(hangUpLimit); ; time.Sleep(20 * time.Millisecond) {
		left = slices.DeleteFunc(slices.Clone(left), func(r state.Session) bool { return !r.IsLive() })
		if len(left) == 0 || time.Now().After(end) {
			break
		}
	}
	ended = len(all) - len(left)
	for _, d := range hangUp(left) {
		if d.err != nil {
			return ended, fmt.Errorf("session %s has not ended: %w", d.ID, d.err)
		}
		ended++
	}
	for _, d := range hangUp(connections) {
		if d.err != nil {
			return ended, fmt.Errorf("the connection %s has not ended: %w", d.ID, d.err)
		}
	}
	return ended, nil
}
