package sessions

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/root/sessions"
)

// How long the login shell of a session has to end by itself, and how long after
// it was killed.
const (
	hangUpLimit = 5 * time.Second
	killLimit   = 5 * time.Second
)

// dying is a session that is to end: a descriptor of its login shell, so that no
// other process can be meant.
type dying struct {
	sessions.Record
	fd     int // -1: it has ended
	killed bool
	err    error
}

// hangUp ends sessions as the end of their connection would, and kills what does
// not end within the limit. The result is in the order of the records.
func hangUp(all []sessions.Record) []*dying {
	var list []*dying
	for _, r := range all {
		d := &dying{Record: r}
		d.fd, d.err = frontOf(r)
		list = append(list, d)
		// A stopped process gets the first only with the second.
		d.send(unix.SIGHUP)
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
			d.err = errors.Join(d.err, errors.New("it does not end"))
		}
	}
	return list
}

// frontOf gives a pidfd of the login shell of a session; -1 without an error if it
// has ended.
func frontOf(r sessions.Record) (int, error) {
	fd, err := sys.Pidfd(r.Pid)
	if err == unix.ESRCH {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	// Numbers come again: from here on it is this process, and none with its number.
	// It must be the one that the record means, and its user's.
	if uid, err := proc.UID(r.Pid); err == nil && uid == r.UID && r.Live() {
		return fd, nil
	}
	return -1, unix.Close(fd)
}

func (d *dying) send(sig unix.Signal) {
	if d.fd < 0 {
		return
	}
	if err := sys.SignalPidfd(d.fd, sig); err != nil && err != unix.ESRCH {
		d.err = errors.Join(d.err, err)
	}
}

// waitFor waits for the end of all, at most for so long.
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

// AwaitEnd waits for the end of sessions whose container has ended, and hangs up those
// that have not ended after 5 seconds. It returns how many have ended.
func AwaitEnd(all []sessions.Record) (ended int, err error) {
	left := all
	for end := time.Now().Add(hangUpLimit); ; time.Sleep(20 * time.Millisecond) {
		left = slices.DeleteFunc(slices.Clone(left), func(r sessions.Record) bool { return !r.Live() })
		if len(left) == 0 || time.Now().After(end) {
			break
		}
	}
	ended = len(all) - len(left)
	for _, d := range hangUp(left) {
		if d.err != nil {
			return ended, fmt.Errorf("session %s is left: %w", d.ID, d.err)
		}
		ended++
	}
	return ended, nil
}
