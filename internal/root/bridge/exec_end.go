package bridge

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
)

const (
	// settled is how long a container that is being stopped may take until the
	// engine says so.
	settled = time.Second
	// hangUpLimit is how long a session is tried to be hung up.
	hangUpLimit = 30 * time.Second
	// grace is how long the program on a terminal may go on after a hang-up.
	grace = 5 * time.Second
)

// group and alone write a signal for sendSignals: to the program's process group,
// and to the program.
func group(sig unix.Signal) string { return alone(sig) + "-" }
func alone(sig unix.Signal) string { return strconv.Itoa(int(sig)) + ":" }

func (p *program) signal(ctx context.Context, sig unix.Signal) error { return p.send(ctx, group(sig)) }

// send sends signals to the session from inside the container, with its user's
// rights.
func (p *program) send(ctx context.Context, what ...string) error {
	_, err := engine.Run(ctx, p.engine, p.task.Container, engine.Program{
		UID: p.task.UID, GID: p.task.GID,
		Argv: append([]string{shell, "-c", sendSignals, "dockersh", strconv.Itoa(p.inside.pid), strconv.Itoa(p.inside.parent)}, what...),
	})
	return err
}

// hangUp ends a program whose front is gone: the engine's exec would outlive it.
// It does what the agent does, and for a terminal what the kernel does when one
// closes: the runtime keeps the real one open, so a program that takes no notice
// would read from it for ever.
func (p *program) hangUp() {
	if p.stream == nil {
		return
	}
	ctx, cancel := background(hangUpLimit)
	defer cancel()
	if p.inside.pid == 0 && p.hear(ctx) != nil {
		return
	}
	p.stream.Close()
	for {
		err := p.send(ctx, group(unix.SIGHUP), group(unix.SIGCONT)) // a stopped job could not hear it
		if err == nil || errors.Is(err, engine.ErrNotFound) {
			break
		}
		select {
		case <-ctx.Done():
			p.log.Error("a session was left in the container", "pid", p.inside.pid, "cause", err)
			return
		case <-time.After(time.Second):
		}
	}
	if p.terminal {
		wait, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if _, err := p.stream.Wait(wait); wait.Err() != nil {
			p.log.Info("killed: it took no notice of the hang-up", "pid", p.inside.pid, "cause", err)
			_ = p.send(ctx, alone(unix.SIGKILL))
		}
	}
}

// stopped tells whether the container has ended.
func (p *program) stopped() bool {
	ctx, cancel := background(settled)
	defer cancel()
	for {
		running, err := p.engine.Running(ctx, p.task.Container)
		if err != nil || !running {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// outOfMemory tells whether a program that was killed was killed for memory.
func (p *program) outOfMemory(code int) bool {
	if !exitstatus.IsKill(code) {
		return false
	}
	ctx, cancel := background(settled)
	defer cancel()
	killed, err := p.engine.OutOfMemory(ctx, p.task.Container, p.begun)
	if err != nil {
		p.log.Info("cannot ask for lack of memory", "cause", err)
	}
	return killed
}
