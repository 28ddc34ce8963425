package seqpacket

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Socket makes an unconnected socket, close-on-exec and non-blocking.
func Socket() (int, error) {
	return unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
}

// Connect gives a socket that is connected to path. It does not wait: a queue
// that is full is unix.EAGAIN, nobody listening unix.ECONNREFUSED or unix.ENOENT.
// A path may have any length.
func Connect(path string) (int, error) {
	path, done, err := shorten(path)
	if err != nil {
		return -1, err
	}
	defer done()
	fd, err := Socket()
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Dial is Connect for a Conn.
func Dial(path string) (*Conn, error) {
	fd, err := Connect(path)
	if err != nil {
		return nil, err
	}
	return New(fd)
}

// Bind makes a listening socket at path, in place of what is there, with the
// given mode from the beginning. A path may have any length.
func Bind(path string, mode uint32, backlog int) (int, error) {
	short, done, err := shorten(path)
	if err != nil {
		return -1, err
	}
	defer done()
	fd, err := Socket()
	if err != nil {
		return -1, err
	}
	fail := func(err error) (int, error) {
		_ = unix.Close(fd)
		return -1, err
	}
	if err := unix.Unlink(path); err != nil && err != unix.ENOENT {
		return fail(err)
	}
	// bind(2) makes the name with the socket's own mode; a umask would be the
	// whole process's.
	if err := unix.Fchmod(fd, mode); err != nil {
		return fail(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: short}); err != nil {
		return fail(err)
	}
	// The umask still counts.
	if err := unix.Chmod(path, mode); err != nil {
		return fail(err)
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return fail(err)
	}
	return fd, nil
}

// shorten gives a name for path that fits into a sockaddr_un, by way of a
// descriptor of its directory where it is too long.
func shorten(path string) (string, func(), error) {
	if len(path) < len(unix.RawSockaddrUnix{}.Path) {
		return path, func() {}, nil
	}
	dir, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, err
	}
	return "/proc/self/fd/" + strconv.Itoa(dir) + "/" + filepath.Base(path), func() { _ = unix.Close(dir) }, nil
}

// Listener is a listening socket.
type Listener struct {
	f   *os.File
	raw syscall.RawConn
}

// NewListener takes over a listening socket.
func NewListener(fd int) (*Listener, error) {
	c, err := New(fd)
	if err != nil {
		return nil, err
	}
	return &Listener{f: c.f, raw: c.raw}, nil
}

// Accept waits for the next connection.
func (l *Listener) Accept() (*Conn, error) {
	fd := -1
	var err error
	rerr := l.raw.Read(func(lfd uintptr) bool {
		for {
			fd, _, err = unix.Accept4(int(lfd), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
			if err != unix.EINTR && err != unix.ECONNABORTED {
				return err != unix.EAGAIN
			}
		}
	})
	if rerr != nil {
		return nil, rerr
	}
	if err != nil {
		return nil, err
	}
	return wrap(fd)
}

// SetDeadline limits Accept.
func (l *Listener) SetDeadline(t time.Time) error { return l.f.SetDeadline(t) }

// Close stops listening. The name in the file system stays.
func (l *Listener) Close() error { return l.f.Close() }
