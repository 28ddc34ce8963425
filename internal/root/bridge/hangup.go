package bridge

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/root/bridge/prelude"
)

const (
	// stopLag is how long the engine may take to report that a container was stopped.
	stopLag = time.Second
	// hangUpLimit is how long the bridge tries to hang up a session.
	hangUpLimit = 30 * time.Second
	// grace is how long the program on a terminal may go on after a hang-up.
	grace = 5 * time.Second
)

// toGroup and toProgram write a signal for prelude.KillScript: to the program's process
// group, and to the program alone.
func toGroup(sig unix.Signal) string   { return toProgram(sig) + "-" }
func toProgram(sig unix.Signal) string { return strconv.Itoa(int(sig)) + ":" }

func (p *execStream) signal(ctx context.Context, sig unix.Signal) error {
	return p.kill(ctx, toGroup(sig))
}

// kill sends signals to the session from inside the container, with its user's
// rights.
func (p *execStream) kill(ctx context.Context, signals ...string) error {
	_, err := engine.Run(ctx, p.engine, p.task.Container, engine.Program{
		UID: p.task.UID, GID: p.task.GID,
		Argv: append([]string{prelude.Shell, "-c", prelude.KillScript, "dockersh",
			strconv.Itoa(p.report.PID), strconv.Itoa(p.report.Parent)}, signals...),
	})
	return err
}

// hangUp ends a program whose front is gone: it would outlive the exec stream. The
// bridge does what the agent does, and for a terminal what the kernel does when one
// closes: the runtime keeps the real one open, so a program that ignores SIGHUP would
// read from it for ever.
func (p *execStream) hangUp() {
	if p.stream == nil {
		return
	}
	ctx, cancel := timeout(hangUpLimit)
	defer cancel()
	if p.report.PID == 0 && p.awaitReport(ctx) != nil {
		return
	}
	p.stream.Close()
	for {
		err := p.kill(ctx, toGroup(unix.SIGHUP), toGroup(unix.SIGCONT)) // a stopped job would not get it
		if err == nil || errors.Is(err, engine.ErrNotFound) {
			break
		}
		select {
		case <-ctx.Done():
			p.log.Error("a session could not be hung up and goes on in the container", "pid", p.report.PID, "cause", err)
			return
		case <-time.After(time.Second):
		}
	}
	if p.terminal {
		wait, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if _, err := p.stream.Wait(wait); wait.Err() != nil {
			p.log.Info("killed a program that ignored the hang-up", "pid", p.report.PID, "cause", err)
			_ = p.kill(ctx, toProgram(unix.SIGKILL))
		}
	}
}

// stopped reports whether the container has ended.
func (p *execStream) stopped() bool {
	ctx, cancel := timeout(stopLag)
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

// outOfMemory reports whether the program was killed for lack of memory.
func (p *execStream) outOfMemory(code int) bool {
	if !exitstatus.IsKill(code) {
		return false
	}
	ctx, cancel := timeout(stopLag)
	defer cancel()
	killed, err := p.engine.OutOfMemory(ctx, p.task.Container, p.started)
	if err != nil {
		p.log.Info("cannot ask whether memory ran out", "cause", err)
	}
	return killed
}
