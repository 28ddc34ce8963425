package rundir

import (
	"path/filepath"
	"time"

	"dockersh/internal/channel"
	"dockersh/internal/seqpacket"
	"dockersh/internal/wire"
)

// answerLimit is how long an agent has to say how many sessions it has; it is
// the user's, and may say nothing.
const answerLimit = 200 * time.Millisecond

// Sessions asks the container's agents for their live sessions. They are the
// ones who know, whatever became of brokers meanwhile; but they are in the
// container, so the number is for people, and decides nothing.
func (d Dir) Sessions() int {
	socks, _ := filepath.Glob(d.file("agent-*.sock")) // fails only on a bad pattern
	n := 0
	for _, s := range socks {
		n += count(s)
	}
	return n
}

func count(sock string) int {
	raw, err := seqpacket.Dial(sock)
	if err != nil {
		return 0
	}
	c := channel.Conn{Socket: raw}
	defer c.Close()
	c.Within(answerLimit)
	if err := c.Send(&wire.Count{}); err != nil {
		return 0
	}
	for {
		m, fds, err := c.Recv()
		seqpacket.CloseAll(fds)
		if _, ok := m.(*wire.Hello); ok {
			continue
		}
		if s, ok := m.(*wire.Sessions); err == nil && ok && s.Live < 1<<16 {
			return int(s.Live)
		}
		return 0
	}
}
