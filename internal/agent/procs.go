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
	changed chan os.Signal
}

func newProcs() *procs {
	p := &procs{ended: map[int]func(uint32){}, changed: make(chan os.Signal, 1)}
	signal.Notify(p.changed, unix.SIGCHLD)
	return p
}

// start forks; ended is called once, from the reaper, with the wait status.
func (p *procs) start(path string, argv []string, attr *syscall.ProcAttr, ended func(status uint32)) (pid int, err error) {
	// ForkExec waits for the child itself when exec fails: the lock keeps the
	// reaper from taking that child away.
	p.mu.Lock()
	defer p.mu.Unlock()
	pid, err = syscall.ForkExec(path, argv, attr)
	if err == nil {
		p.ended[pid] = ended
	}
	return pid, err
}

// reap collects every child that ends, for ever.
func (p *procs) reap() {
	for range p.changed {
		for p.reapOne() {
		}
	}
}

func (p *procs) reapOne() bool {
	p.mu.Lock()
	var ws unix.WaitStatus
	pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
	if err == unix.EINTR {
		p.mu.Unlock()
		return true
	}
	if err != nil || pid <= 0 {
		p.mu.Unlock()
		return false
	}
	ended := p.ended[pid]
	delete(p.ended, pid)
	p.mu.Unlock()
	if ended != nil {
		ended(uint32(ws))
	}
	return true
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

// endOnTerm ends the container: every session is hung up, and asked to end.
func (p *procs) endOnTerm() {
	term := make(chan os.Signal, 1)
	signal.Notify(term, unix.SIGTERM, unix.SIGINT)
	// Caught and dropped rather than ignored: sessions would inherit that.
	signal.Notify(make(chan os.Signal), unix.SIGHUP, unix.SIGQUIT)
	<-term
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
