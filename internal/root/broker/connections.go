package broker

import (
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/state"
)

// A connection of ssh with a session needs no word beside that of the session. One that has
// none after sessionDelay (ssh -N, ssh -J) is in the history itself.
const (
	sessionDelay = 5 * time.Second
	// endDelay is how long a connection that ends earlier waits for what its session has to
	// write, which is written in the background.
	endDelay = 200 * time.Millisecond
)

// connections are those of the PAM module, by sshd's process, which have no session yet.
type connections struct {
	mu   sync.Mutex
	bare map[process]struct{}
}

// process is what tells processes from one another.
type process struct {
	pid   int
	start uint64
}

func (c *connections) add(p process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bare == nil {
		c.bare = map[process]struct{}{}
	}
	c.bare[p] = struct{}{}
}

func (c *connections) has(p process) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, bare := c.bare[p]
	return bare
}

// take forgets a connection, and reports whether it has had no session.
func (c *connections) take(p process) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, bare := c.bare[p]
	delete(c.bare, p)
	return bare
}

// setHasSession notes that a session has begun, on the connection that its front comes by.
func (c *connections) setHasSession(front proc.Stat) {
	c.mu.Lock()
	none := len(c.bare) == 0
	c.mu.Unlock()
	if none {
		return
	}
	for _, p := range sshd.AncestorsOf(front) {
		c.take(process{p.Pid, p.Start})
	}
}

// watchConnection writes the start and the end of a connection, if it has no session.
func (e *events) watchConnection(f *front) {
	s := &sessionEvents{end: endOf(*f.session), over: make(chan struct{}), written: make(chan struct{})}
	start := e.newEvent(f, history.Start)
	start.ID, start.UID, start.Key, start.Container = f.session.ID, f.session.UID, f.session.Key, f.session.Container
	start.Connection = true
	if s.end.Container == state.NoContainer {
		start.Container, s.end.Container = "", ""
	}
	s.end.Since = start.Time
	f.events = s
	p, stat := process{f.process.Pid, f.process.Start}, f.process
	e.connections.add(p)
	go func() {
		defer close(s.written)
		start.Client = clientAddress(stat)
		t := time.NewTimer(sessionDelay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.over:
			if e.connections.has(p) {
				time.Sleep(endDelay)
			}
		case <-e.ctx.Done():
			return
		}
		if !e.connections.take(p) {
			return
		}
		s.bare = true
		e.log.Info("connection start", start.Attrs()...)
		e.history(start)
	}()
}
