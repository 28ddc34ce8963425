package sys

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Socket is a connected unix socket. What waits for it takes no thread.
type Socket struct{ *os.File }

// NewSocket takes over a descriptor.
func NewSocket(fd int) (Socket, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return Socket{}, err
	}
	return Socket{os.NewFile(uintptr(fd), "socket")}, nil
}

// CloseWrite ends what the other side reads.
func (s Socket) CloseWrite() error {
	raw, err := s.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), unix.SHUT_WR) })
	}
	return err
}

// Accept waits for a connection to a listening socket that does not block.
func Accept(listener *os.File) (Socket, error) {
	raw, err := listener.SyscallConn()
	if err != nil {
		return Socket{}, err
	}
	var fd int
	var refused error
	err = raw.Read(func(l uintptr) bool {
		fd, _, refused = unix.Accept4(int(l), unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		return !errors.Is(refused, unix.EAGAIN) && !errors.Is(refused, unix.ECONNABORTED) && !errors.Is(refused, unix.EINTR)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return Socket{}, err
	}
	return NewSocket(fd)
}

// Unreachable makes a listening unix socket in a directory, and takes its name away. Only a
// process that has at, a descriptor, can connect to it (Connect).
func Unreachable(dir string) (listener, at int, err error) {
	dir, err = os.MkdirTemp(dir, "dockersh-")
	if err != nil {
		return -1, -1, err
	}
	defer os.RemoveAll(dir)
	listener, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, -1, err
	}
	if err = unix.Bind(listener, &unix.SockaddrUnix{Name: dir + "/s"}); err == nil {
		err = unix.Listen(listener, unix.SOMAXCONN)
	}
	if err == nil {
		at, err = unix.Open(dir+"/s", unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	}
	if err != nil {
		_ = unix.Close(listener)
		return -1, -1, err
	}
	return listener, at, nil
}

// Connect connects to a socket by a descriptor of its name. It does not wait.
func Connect(at int) (Socket, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return Socket{}, err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: "/proc/self/fd/" + strconv.Itoa(at)}); err != nil {
		_ = unix.Close(fd)
		return Socket{}, err
	}
	return NewSocket(fd)
}
