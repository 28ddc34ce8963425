// Package channel sends and receives messages of the protocol over a packet socket.
// One packet is one message, with exactly the descriptors that belong to it.
package channel

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// Socket is a seqpacket.Conn or a seqpacket.Sync.
type Socket interface {
	Send(p []byte, fds ...int) error
	Recv(limit int) (p []byte, fds []int, err error)
	SetDeadline(t time.Time) error
	Fd() int
	Close() error
}

// Conn is a connection that carries messages.
type Conn struct{ Socket }

// New takes over a connected socket, for a program with many connections.
func New(fd int) (Conn, error) {
	c, err := seqpacket.New(fd)
	return Conn{c}, err
}

// NewSync takes over a connected socket, for a program that does one thing at a
// time.
func NewSync(fd int) (Conn, error) {
	c, err := seqpacket.NewSync(fd)
	return Conn{c}, err
}

// Send sends m with its descriptors, which stay open here. The error is
// wire.ErrMessage if their number is not m.FDs(), and wire.ErrTooLarge for a message
// that does not fit into a packet.
func (c Conn) Send(m wire.Message, fds ...int) error {
	if len(fds) != m.FDs() {
		return wire.ErrMessage
	}
	p, err := wire.Encode(m)
	if err != nil {
		return err
	}
	return c.Socket.Send(p, fds...)
}

// Recv receives a message with its descriptors, which the caller closes. Anything but
// a message with its own number of descriptors is wire.ErrMessage, and none of its
// descriptors stays open.
func (c Conn) Recv() (wire.Message, []int, error) {
	p, fds, err := c.Socket.Recv(wire.MaxPacket)
	if err != nil {
		return nil, nil, err
	}
	m, err := wire.Decode(p)
	if err == nil && len(fds) != m.FDs() {
		err = wire.ErrMessage
	}
	if err != nil {
		seqpacket.CloseAll(fds)
		return nil, nil, err
	}
	return m, fds, nil
}

// Within sets a time limit for everything that follows, and returns the function that
// lifts it.
func (c Conn) Within(d time.Duration) (lift func()) {
	_ = c.SetDeadline(time.Now().Add(d)) // fails on a closed connection only, where everything else fails too
	return func() { _ = c.SetDeadline(time.Time{}) }
}

// TimedOut reports whether err is the end of a limit that Within set.
func TimedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// IsGone reports whether err means that the peer closed the connection or ended.
func IsGone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)
}
