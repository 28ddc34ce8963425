package seqpacket

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Socket creates an unconnected socket, close-on-exec and non-blocking.
func Socket() (int, error) {
	return unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
}

// Connect returns a socket that is connected to path, which may have any length. It
// does not wait: the error is unix.EAGAIN if the listener's queue is full, and
// unix.ECONNREFUSED or unix.ENOENT if nobody listens.
func Connect(path string) (int, error) {
	short, release, err := shorten(path)
	if err != nil {
		return -1, err
	}
	defer release()
	fd, err := Socket()
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: short}); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// Dial is Connect, but returns a Conn.
func Dial(path string) (*Conn, error) {
	fd, err := Connect(path)
	if err != nil {
		return nil, err
	}
	return New(fd)
}

// Bind creates a listening socket at path, which may have any length. It replaces what
// is there all at once: a client finds a socket of the given mode at which somebody listens.
func Bind(path string, mode uint32, backlog int) (int, error) {
	// bind(2) applies the umask, and changing that would affect all threads.
	unready := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if err := unix.Unlink(unready); err != nil && !errors.Is(err, unix.ENOENT) {
		return -1, err
	}
	short, release, err := shorten(unready)
	if err != nil {
		return -1, err
	}
	defer release()
	fd, err := Socket()
	if err != nil {
		return -1, err
	}
	fail := func(err error) (int, error) {
		_ = unix.Close(fd)
		return -1, err
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: short}); err != nil {
		return fail(err)
	}
	err = errors.Join(unix.Chmod(unready, mode), unix.Listen(fd, backlog))
	if err == nil {
		err = unix.Rename(unready, path)
	}
	if err != nil {
		_ = unix.Unlink(unready)
		return fail(err)
	}
	return fd, nil
}

// shorten returns a name for path that fits into a sockaddr_un: for one that is too
// long, by way of a descriptor of its directory, which release closes.
func shorten(path string) (short string, release func(), err error) {
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
			if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ECONNABORTED) {
				return !errors.Is(err, unix.EAGAIN)
			}
		}
	})
	if rerr != nil {
		return nil, rerr
	}
	if err != nil {
		return nil, err
	}
	return newNonblocking(fd)
}

// SetDeadline is Conn.SetDeadline, for Accept.
func (l *Listener) SetDeadline(t time.Time) error { return l.f.SetDeadline(t) }

// Close stops listening. The file stays. It does not wait for what lies in connections that
// were not accepted (CloseElsewhere).
func (l *Listener) Close() error { return CloseElsewhere(l.f.Close) }
