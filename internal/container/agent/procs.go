package agent

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// procs owns every child: what it started itself, and orphans. Nobody else may
// wait.
type procs struct {
	mu      sync.Mutex // held from fork until the child is known
	ended   map[int]func(status uint32)
	ending  bool // the container is being stopped: no end is a session's own
	changed chan os.Signal
}

func newProcs() *procs {
	p := &procs{ended: map[int]func(uint32){}, changed: make(chan os.Signal, 1)}
	signal.Notify(p.changed, unix.SIGCHLD)
	return p
}

// start forks. begun is called when the child runs, before its end can be told;
// ended once, by the reaper, with the wait status. Both must not wait.
func (p *procs) start(path string, argv []string, attr *syscall.ProcAttr, begun func(), ended func(status uint32)) (pid int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending {
		return 0, unix.EAGAIN
	}
	pid, err = syscall.ForkExec(path, argv, attr)
	if err == nil {
		p.ended[pid] = ended
		begun()
		select {
		case p.changed <- unix.SIGCHLD: // there is a child to wait for
		default:
		}
	}
	return pid, err
}

// reap collects every child that ends, for ever.
func (p *procs) reap() {
	for {
		pid, status := p.next()
		p.mu.Lock() // a child that ended at once is known from here on
		ended, ending := p.ended[pid], p.ending
		delete(p.ended, pid)
		p.mu.Unlock()
		// A child whose exec failed is unknown: ForkExec has told already.
		if ended != nil && !ending {
			ended(status)
		}
	}
}

// next waits for the end of a child. It waits in wait4(2) itself: by way of the
// signal a login would take two threads more to wake.
func (p *procs) next() (pid int, status uint32) {
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, 0, nil)
		switch err {
		case nil:
			return pid, uint32(ws)
		case unix.ECHILD:
			<-p.changed // a child of our own, or the end of an orphan that was left to us
		}
	}
}

// live is the number of sessions.
func (p *procs) live() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ended)
}

// hangUp tells a session that nobody listens any more, as the kernel does for a
// terminal that closes.
func (p *procs) hangUp(pid int) {
	p.signal(pid, unix.SIGHUP)
	p.signal(pid, unix.SIGCONT) // a stopped job could not hear it
}

// signal reaches the session's own process group, if its leader still lives. The
// lock keeps the number from being another process's meanwhile.
func (p *procs) signal(pid int, sig unix.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.ended[pid]; ok {
		_ = unix.Kill(-pid, sig) // gone already is as good
	}
}

// grace is how long the container's processes have after SIGTERM: less than the
// ten seconds after which an engine's stop kills.
const grace = 2 * time.Second

// endOnTerm ends the container: every session is hung up, and asked to end. Its
// front is not told how: it sees us go, and tells its user what became of the
// container.
func (p *procs) endOnTerm() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, unix.SIGTERM, unix.SIGINT)
	// Caught and dropped rather than ignored: sessions would inherit that.
	signal.Notify(make(chan os.Signal, 1), unix.SIGHUP, unix.SIGQUIT)
	<-term
	p.mu.Lock()
	p.ending = true
	p.mu.Unlock()
	if os.Getpid() == 1 {
		for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGTERM, unix.SIGCONT} {
			_ = unix.Kill(-1, sig) // all but ourselves
		}
		for end := time.Now().Add(grace); time.Now().Before(end) && unix.Kill(-1, 0) == nil; {
			time.Sleep(10 * time.Millisecond)
		}
	}
	os.Exit(0)
}
