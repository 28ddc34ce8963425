package proc

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// Peer returns the state of the process at the other end of a socket, of which the kernel
// recorded number and effective uid when it connected. The process may have ended since,
// and another one have its number: Peer returns ErrGone then.
//
// Pidfd is the process's own descriptor (SO_PEERPIDFD in socket(7)): as long as it has not
// ended, no other process has its number. Without one (-1, before Linux 6.5) the process must have
// the uid, so that a number at least does not lead to another user's process.
func Peer(pid int, uid uint32, pidfd int) (Stat, error) {
	s, err := Of(pid)
	if err != nil {
		return Stat{}, err
	}
	if pidfd >= 0 {
		return s, hasNotEnded(pidfd)
	}
	if err := hasUID(pid, uid); err != nil {
		return Stat{}, err
	}
	if !s.IsSame() {
		return Stat{}, ErrGone
	}
	return s, nil
}

// hasNotEnded returns ErrGone if the process of a pidfd has ended.
func hasNotEnded(pidfd int) error {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	if n, err := sys.Poll(fds, 0); err != nil || n == 0 {
		return err
	}
	return ErrGone
}

// hasUID returns ErrGone unless one of a process's uids is uid: the effective one that the
// kernel recorded is that of a moment, for a setuid program above all.
func hasUID(pid int, uid uint32) error {
	uids, err := uidsOf(pid)
	if err != nil || !slices.Contains(uids[:], uid) {
		return ErrGone
	}
	return nil
}

// IsSame reports whether the process still runs: nothing that was read under its number
// since s is another's.
func (s Stat) IsSame() bool {
	now, err := Of(s.Pid)
	return err == nil && now.Start == s.Start
}
