// Package tty opens pseudo-terminals, and reads and sets the modes and sizes of terminals.
package tty

import (
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// State has the modes of a terminal.
type State struct{ t unix.Termios }

// modeBytes is the length of the modes in a message: that of the kernel's struct termios, without the
// padding of Go's.
const modeBytes = int(unsafe.Sizeof(unix.Termios{}))

// Is reports whether fd is a terminal.
func Is(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// Get returns the modes of a terminal.
func Get(fd int) (*State, error) {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	return &State{*t}, nil
}

// Raw switches the terminal to raw mode: bytes pass unchanged both ways, are not echoed, and
// send no signals. s has its modes from before.
func (s *State) Raw(fd int) error {
	t := s.t
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, &t)
}

// Restore sets the modes of s. It does not wait for output to drain: a client that has
// stopped reading would block it forever.
func (s *State) Restore(fd int) error { return unix.IoctlSetTermios(fd, unix.TCSETS, &s.t) }

// SetBytes sets the modes that a front has read of another terminal. The error is
// unix.EINVAL for anything else.
func SetBytes(fd int, b []byte) error {
	if len(b) != modeBytes {
		return unix.EINVAL
	}
	var t unix.Termios
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&t)), modeBytes), b)
	return unix.IoctlSetTermios(fd, unix.TCSETS, &t)
}

// Size returns the size in characters.
func Size(fd int) (rows, cols uint16, err error) {
	ws, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, err
	}
	return ws.Row, ws.Col, nil
}

// SetSize sets the size, of which the kernel notifies the foreground processes (SIGWINCH).
func SetSize(fd int, rows, cols uint16) error {
	return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols})
}

// Open opens a pseudo-terminal, in the devpts that /dev/ptmx belongs to. It opens the
// slave through the master, without a path. Both are close-on-exec, and the master is
// non-blocking.
func Open() (master, slave int, err error) {
	master, err = unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, -1, err
	}
	if err = unix.IoctlSetPointerInt(master, unix.TIOCSPTLCK, 0); err == nil {
		slave, err = peer(master)
	}
	if err != nil {
		_ = unix.Close(master)
		return -1, -1, err
	}
	return master, slave, nil
}

// peer opens the slave of a master (TIOCGPTPEER, ioctl_tty(2), Linux 4.13).
func peer(master int) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(master), unix.TIOCGPTPEER,
		unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// Name returns the path of the slave in its devpts.
func Name(master int) (string, error) {
	n, err := unix.IoctlGetInt(master, unix.TIOCGPTN)
	if err != nil {
		return "", err
	}
	return "/dev/pts/" + strconv.Itoa(n), nil
}
