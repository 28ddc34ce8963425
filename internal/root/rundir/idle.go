package rundir

import (
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// answerLimit is how long an agent has to say what runs; it is
// the user's, and may say nothing.
const answerLimit = 200 * time.Millisecond

// Idle asks the container's agents whether anything runs there that somebody
// started. Each sees all of it; one who does not answer, or says that something
// runs, is believed. known is false if there was nobody to ask. A user's agent can
// lie about his own processes only.
func (d Dir) Idle() (idle, known bool) {
	idle = true
	for _, s := range d.ask() {
		known = true
		idle = idle && s != nil && s.Others == 0
	}
	return idle && known, known
}

// ask gives the answers of those agents that are there: nil for one that listens and
// says nothing.
func (d Dir) ask() (all []*wire.Sessions) {
	socks, _ := filepath.Glob(d.file("agent-*.sock")) // fails only on a bad pattern
	for _, s := range socks {
		raw, err := seqpacket.Dial(s)
		if err == unix.ECONNREFUSED || err == unix.ENOENT {
			continue // it has ended
		}
		if err != nil {
			all = append(all, nil)
			continue
		}
		all = append(all, count(channel.Conn{Socket: raw}))
	}
	return all
}

func count(c channel.Conn) *wire.Sessions {
	defer c.Close()
	c.Within(answerLimit)
	if err := c.Send(&wire.Count{}); err != nil {
		return nil
	}
	for {
		m, fds, err := c.Recv()
		seqpacket.CloseAll(fds)
		if err != nil {
			return nil
		}
		switch m := m.(type) {
		case *wire.Hello:
		case *wire.Sessions:
			return m
		default:
			return nil
		}
	}
}
