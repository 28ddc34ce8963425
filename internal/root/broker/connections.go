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

// connections are those of the PAM module, by sshd's process.
type connections struct {
	mu    sync.Mutex
	known map[process]*announced
}

// process is what tells processes from one another.
type process struct {
	pid   int
	start uint64
}

// announced is what is known of a connection.
type announced struct {
	key        string // fingerprint; empty: another method
	hasSession bool   // now, or before
}

func (c *connections) add(p process, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[process]*announced{}
	}
	c.known[p] = &announced{key: key}
}

func (c *connections) remove(p process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, p)
}

// isBare reports whether a connection has had no session.
func (c *connections) isBare(p process) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[p] != nil && !c.known[p].hasSession
}

// addSession notes that a session has begun, and returns the key of the connection that its
// front comes by; false if none was announced.
func (c *connections) addSession(front proc.Stat) (key string, ok bool) {
	c.mu.Lock()
	none := len(c.known) == 0
	c.mu.Unlock()
	if none {
		return "", false
	}
	chain := sshd.AncestorsOf(front)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range chain {
		if a := c.known[process{p.Pid, p.Start}]; a != nil {
			a.hasSession = true
			return a.key, true
		}
	}
	return "", false
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
	s.process = process{f.process.Pid, f.process.Start}
	f.events = s
	p, stat := s.process, f.process
	e.connections.add(p, f.session.Key)
	go func() {
		defer close(s.written)
		start.Client = clientAddress(stat)
		t := time.NewTimer(sessionDelay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.over:
			if e.connections.isBare(p) {
				time.Sleep(endDelay)
			}
		case <-e.ctx.Done():
			return
		}
		if !e.connections.isBare(p) {
			return
		}
		s.bare = true
		e.log.Info("connection start", start.Attrs()...)
		e.history(start)
	}()
}
