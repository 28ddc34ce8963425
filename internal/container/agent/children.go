package agent

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/container/spawn"
)

// children owns all children: the leaders of sessions, and orphans. Nothing else in this
// process may wait for a child.
type children struct {
	mu       sync.Mutex                  // held from fork until the child is in the map
	onEnd    map[int]func(status uint32) // of the leader of each live session
	oomScore oomScore
	stopping bool           // the container is being stopped
	arrived  chan os.Signal // there may be a child to wait for
}

func newChildren() *children {
	c := &children{onEnd: map[int]func(uint32){}, oomScore: openOOMScore(), arrived: make(chan os.Signal, 1)}
	signal.Notify(c.arrived, unix.SIGCHLD)
	return c
}

// start starts a program. onStart is called once it runs, and onEnd later, with the
// wait status, except while the container is being stopped. Neither may block.
func (c *children) start(p *spawn.Program, onStart func(), onEnd func(status uint32)) (pid int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return 0, unix.EAGAIN
	}
	restore := c.oomScore.raise()
	pid, err = spawn.Start(p)
	restore()
	if err == nil {
		c.onEnd[pid] = onEnd
		onStart()
		select {
		case c.arrived <- unix.SIGCHLD:
		default:
		}
	}
	return pid, err
}

// reap collects every child that ends. It never returns.
func (c *children) reap() {
	for {
		pid, status := c.wait()
		c.mu.Lock() // start has stored the child by now, even one that ended at once
		onEnd, stopping := c.onEnd[pid], c.stopping
		delete(c.onEnd, pid)
		c.mu.Unlock()
		// Orphans are not in the map, nor is a child whose exec failed: spawn.Start
		// has returned that error.
		if onEnd != nil && !stopping {
			onEnd(status)
		}
	}
}

// wait waits for the end of a child. It blocks in wait4(2): waiting for SIGCHLD first
// would wake two more threads at a login.
func (c *children) wait() (pid int, status uint32) {
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, 0, nil)
		switch {
		case err == nil:
			return pid, uint32(ws)
		case errors.Is(err, unix.ECHILD):
			<-c.arrived // a new session, or the end of an orphan
		}
	}
}

// hangUp hangs up a session whose front is gone, as the kernel does when a terminal
// closes.
func (c *children) hangUp(pid int) {
	c.signal(pid, unix.SIGHUP)
	c.signal(pid, unix.SIGCONT) // a stopped process does not handle SIGHUP
}

// signal sends a signal to the process group of a session whose leader is alive. The entry
// goes right after the leader is reaped: for that moment its number may be free already.
func (c *children) signal(pid int, sig unix.Signal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.onEnd[pid]; ok {
		_ = unix.Kill(-pid, sig) // it may have ended already
	}
}

// grace is how long the processes of the container have after SIGTERM. It is less than
// the ten seconds after which an engine kills what it stops.
const grace = 2 * time.Second

// endOnTerm waits for SIGTERM or SIGINT, hangs up all sessions and asks them to end. It
// returns when this process should exit. Fronts get no Exit: they notice that the agent is
// gone, and tell their users what happened to the container.
func (c *children) endOnTerm() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, unix.SIGTERM, unix.SIGINT)
	// Caught and dropped rather than ignored, which sessions would inherit.
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP, unix.SIGQUIT)
	<-term
	c.mu.Lock()
	c.stopping = true
	c.mu.Unlock()
	if os.Getpid() == 1 {
		for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGTERM, unix.SIGCONT} {
			_ = unix.Kill(-1, sig) // all but ourselves
		}
		for end := time.Now().Add(grace); time.Now().Before(end) && unix.Kill(-1, 0) == nil; {
			time.Sleep(10 * time.Millisecond)
		}
	}
}
