package join

import (
	"sync"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
)

// Announced are the connections of this process that are not over, for the history. The zero
// value is ready to use.
type Announced struct {
	mu    sync.Mutex
	known map[process]*announced
}

// process is what tells processes from one another.
type process struct {
	pid   int
	start uint64
}

func processOf(p proc.Stat) process { return process{p.Pid, p.Start} }

// announced is what is known of a connection.
type announced struct {
	key        string // fingerprint; empty: another method
	hasSession bool   // now, or before
}

// Add adds a connection, by sshd's process.
func (c *Announced) Add(sshd proc.Stat, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[process]*announced{}
	}
	c.known[processOf(sshd)] = &announced{key: key}
}

// Remove removes a connection that is over.
func (c *Announced) Remove(sshd proc.Stat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, processOf(sshd))
}

// IsBare reports whether a connection has had no session.
func (c *Announced) IsBare(sshd proc.Stat) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.known[processOf(sshd)]
	return a != nil && !a.hasSession
}

// AddSession notes that a session has begun, and returns the key of the connection that its
// front comes by; false if none was announced.
func (c *Announced) AddSession(front proc.Stat) (key string, ok bool) {
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
		if a := c.known[processOf(p)]; a != nil {
			a.hasSession = true
			return a.key, true
		}
	}
	return "", false
}
