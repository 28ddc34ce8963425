package broker

import (
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// A broker of one session starts for each login and stays for its length. Most of them
// need no engine, and the client of one would be most of the program. So there is a
// broker without (WithoutEngine), and a broker with an engine goes on where it must: on
// the same connection, with the front's message still in the socket.

// socket is a connection whose peer is known.
type socket interface {
	channel.Socket
	Peer() (*unix.Ucred, error)
	PeerPidfd() (int, error)
	PeerGroups() ([]uint32, error)
	NextSize() (int, error)
}

// peekConn leaves the first packet in the socket until it is known which broker serves it.
type peekConn struct {
	*seqpacket.Conn
	seen, taken bool
}

func (p *peekConn) Recv(limit int) (packet []byte, fds []int, err error) {
	if p.seen {
		p.dropFirstPacket()
		return p.Conn.Recv(limit)
	}
	p.seen = true
	return p.Peek(limit)
}

// dropFirstPacket takes the first packet off the socket. With it there, the peer would lose our
// last message when we close.
func (p *peekConn) dropFirstPacket() {
	if p.taken {
		return
	}
	p.taken = true
	_, fds, _ := p.Conn.Recv(wire.MaxPacket) // it was seen: this does not wait
	seqpacket.CloseAll(fds)
}

// handOver leaves the login to a broker with an engine.
func (b *Broker) handOver(f *front) {
	f.handedOver = true
	if f.session != nil {
		b.sessions.Remove(*f.session)
	}
}
