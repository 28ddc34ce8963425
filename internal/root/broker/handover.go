package broker

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// A broker of one session starts for each login, and stays for its length: most of
// them need no engine, and the client of one would be most of the program. So there
// is a broker without (Config.Engine is nil), and one with goes on where it must.

var (
	// ErrHandOver is that an engine is needed where there is none. As the end of
	// ServeOne it is a login's: that is where it was, the front's message in the
	// socket still, and nothing was done for it.
	ErrHandOver = errors.New("this broker has no engine")
	// ErrUntended is a container that nobody is in, for which an engine is needed.
	ErrUntended = errors.New("an engine is needed for a container that nobody is in")
)

// needsEngine tells of a login, warm as it may be, that there will be something to do
// for its container when it is over.
func (b *Broker) needsEngine(plan *policy.Plan) bool {
	if plan.Settings.IdleTimeout > 0 {
		return true
	}
	_, err := b.lives.Get(plan.Container)
	return err == nil
}

// pass forgets the login that another broker goes on with, on the same connection.
func (b *Broker) pass(f *front) {
	b.passed.Store(true)
	if f.record != nil {
		b.sessions.Remove(*f.record)
	}
}

// Tend does what has to be done by now for containers that nobody is in, and what
// brokers left undone that were killed. It is the last thing that a broker does.
func (b *Broker) Tend() error {
	b.swept(b.stop)
	b.look(b.stop)
	until(b.stop, b.tended.stop)
	if b.untended.Load() {
		return ErrUntended
	}
	return nil
}

// socket is a connection whose peer is known.
type socket interface {
	channel.Socket
	Peer() (*unix.Ucred, error)
}

// held leaves the first packet in the socket until it is known whose it is.
type held struct {
	*seqpacket.Conn
	seen, taken bool
}

func (h *held) Recv(limit int) (p []byte, fds []int, err error) {
	if h.seen {
		h.take()
		return h.Conn.Recv(limit)
	}
	h.seen = true
	return h.Peek(limit)
}

// take takes the first packet off the socket: with it there, the peer would lose
// our last word when we close.
func (h *held) take() {
	if h.taken {
		return
	}
	h.taken = true
	_, fds, _ := h.Conn.Recv(wire.MaxPacket) // it was seen: this does not wait
	seqpacket.CloseAll(fds)
}

// fate asks what became of a container that lost its agent.
func (b *Broker) fate(ctx context.Context, plan *policy.Plan) string {
	e, err := b.engines.get(plan.Engine())
	switch {
	case err == ErrHandOver:
		return b.AskFate(ctx, plan.Engine(), plan.Container)
	case err != nil:
		return "the container ended"
	}
	return Fate(ctx, e, plan.Container, plan.Streams())
}
