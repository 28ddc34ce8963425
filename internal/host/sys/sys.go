// Package sys wraps system calls that package os does not offer, and that several programs
// need.
package sys

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const pipefs = 0x50495045 // PIPEFS_MAGIC, statfs(2)

// Passable reports whether fd may cross between host and container: an anonymous pipe, or
// a connected unix stream socket, as sshd makes them. Any other socket belongs to the
// host's network, and could be connected again inside, to the host's loopback (as in
// CVE-2020-15257). Anything in a file system of the host (a directory, a file, a FIFO with
// a name) or a device of the host would let the container reach it through /proc/self/fd;
// a terminal of the host could be made to type (CVE-2017-5226).
func Passable(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		domain, err1 := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		kind, err2 := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
		_, err3 := unix.Getpeername(fd)
		return err1 == nil && err2 == nil && err3 == nil && domain == unix.AF_UNIX && kind == unix.SOCK_STREAM
	case unix.S_IFIFO:
		var fs unix.Statfs_t
		return unix.Fstatfs(fd, &fs) == nil && fs.Type == pipefs
	}
	return false
}

// IsPtyMaster reports whether fd is the master of a pseudo-terminal (TIOCGPTN,
// ioctl_tty(2)).
func IsPtyMaster(fd int) bool {
	_, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	return err == nil
}

// IsUnixListener reports whether fd is a unix stream socket that listens. It asks nothing that
// whoever made the descriptor could delay: only a socket has options, and a file system of
// theirs would be asked by fstat(2).
func IsUnixListener(fd int) bool {
	for option, want := range map[int]int{unix.SO_DOMAIN: unix.AF_UNIX, unix.SO_TYPE: unix.SOCK_STREAM, unix.SO_ACCEPTCONN: 1} {
		if got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option); err != nil || got != want {
			return false
		}
	}
	return true
}

// Umask returns the umask of this process, which is 077 for a moment.
func Umask() int {
	mask := unix.Umask(0o77)
	unix.Umask(mask)
	return mask
}

// Poll is poll(2), repeated if a signal interrupts it. timeout is in milliseconds; -1 means
// none.
func Poll(fds []unix.PollFd, timeout int) (int, error) {
	for {
		n, err := unix.Poll(fds, timeout)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// PollFor is poll(2) with a limit that may be shorter than a millisecond. A signal ends it early.
func PollFor(fds []unix.PollFd, limit time.Duration) (int, error) {
	timeout := unix.NsecToTimespec(int64(limit))
	return unix.Ppoll(fds, &timeout, nil)
}

// Read is read(2), repeated if a signal interrupts it.
func Read(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// ReadAvailable reads what a descriptor that does not block has now, up to the length of p.
// A pty returns a page at a time: with several reads for one write, the reader is woken less
// often. ended reports that nothing follows; it comes alone, without bytes.
func ReadAvailable(fd int, p []byte) (n int, ended bool) {
	for n < len(p) {
		m, err := Read(fd, p[n:])
		if err != nil || m == 0 {
			return n, n == 0 && !errors.Is(err, unix.EAGAIN) // after bytes, the next read returns it again
		}
		n += m
	}
	return n, false
}

// MaxBuffered in bytes is more than a pty or a pipe holds (pipe-max-size is 1 MiB).
const MaxBuffered = 2 << 20

// Write is write(2), repeated if a signal interrupts it. It may write less than p.
func Write(fd int, p []byte) (int, error) {
	for {
		n, err := unix.Write(fd, p)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// Pwrite is pwrite(2), repeated if a signal interrupts it. It may write less than p.
func Pwrite(fd int, p []byte, at int64) (int, error) {
	for {
		n, err := unix.Pwrite(fd, p, at)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// CloseOnExecFrom makes all descriptors from first on close-on-exec, so that programs that
// this one starts do not inherit them.
func CloseOnExecFrom(first int) {
	if unix.CloseRange(uint(first), ^uint(0)>>33, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	// Linux before 5.11, or a seccomp profile without the call.
	for fd := first; fd < 4096; fd++ {
		unix.CloseOnExec(fd)
	}
}
