package seqpacket

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// Sync is one end of a connection, for a program that does one thing at a time. It
// waits in poll(2) rather than in the runtime's poller, which takes threads. One
// goroutine may send while another receives.
type Sync struct {
	fd       int
	deadline time.Time
}

// NewSync takes over a connected socket.
func NewSync(fd int) (*Sync, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return &Sync{fd: fd}, nil
}

// Close ends the connection.
func (s *Sync) Close() error { return unix.Close(s.fd) }

// Fd returns the descriptor, which still belongs to s.
func (s *Sync) Fd() int { return s.fd }

// SetDeadline is Conn.SetDeadline.
func (s *Sync) SetDeadline(t time.Time) error {
	s.deadline = t
	return nil
}

// poll waits for an event, or returns os.ErrDeadlineExceeded at the deadline.
func (s *Sync) poll(event int16) error {
	wait := -1
	if !s.deadline.IsZero() {
		left := time.Until(s.deadline)
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		wait = int(left/time.Millisecond) + 1
	}
	n, err := sys.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: event}}, wait)
	if err == nil && n == 0 {
		return os.ErrDeadlineExceeded
	}
	return err
}

// Send is Conn.Send.
func (s *Sync) Send(p []byte, fds ...int) error {
	for {
		err := send(s.fd, p, fds)
		if !errors.Is(err, unix.EAGAIN) {
			return err
		}
		if err := s.poll(unix.POLLOUT); err != nil {
			return err
		}
	}
}

// Recv is Conn.Recv.
func (s *Sync) Recv(limit int) (p []byte, fds []int, err error) {
	for {
		if err := s.poll(unix.POLLIN); err != nil {
			return nil, nil, err
		}
		p, fds, err = recvCopy(s.fd, limit, 0)
		if !errors.Is(err, unix.EAGAIN) {
			return p, fds, err
		}
	}
}
