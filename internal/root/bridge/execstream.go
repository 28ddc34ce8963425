package bridge

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/bridge/prelude"
)

// execStream is a session that the engine's exec carries.
type execStream struct {
	engine  engine.Engine
	task    *wire.Bridge
	log     *slog.Logger
	started time.Time

	terminal bool
	stream   engine.Stream // nil: no program runs
	out      *output
	outEnded chan struct{}  // closed at the end of the output
	report   prelude.Report // zero until the prelude has written it
}

func newExecStream(open engine.Opener, task *wire.Bridge, log *slog.Logger) (*execStream, error) {
	e, err := open(engine.Address{Host: task.Engine, TLS: task.TLS})
	if err != nil {
		return nil, err
	}
	return &execStream{engine: e, task: task, log: log, started: time.Now(), outEnded: make(chan struct{})}, nil
}

// hello asks nobody: there is no agent.
func (p *execStream) hello() (*wire.Hello, error) {
	return &wire.Hello{Version: wire.AgentVersion}, nil
}

// start starts the prelude, reads its report, and lets it become the program.
func (p *execStream) start(ctx context.Context, m *wire.Start, out, errs io.Writer) (s agentclient.Started, err error) {
	s.SSHAgent = -1 // the exec carries no socket
	mark := rand.Text()
	p.terminal = m.Terminal
	p.out = &output{to: out, mark: mark, first: make(chan string, 1)}
	if m.Terminal {
		p.out.echo = len(echoed)
	}
	if p.stream, err = p.engine.ExecStream(ctx, p.task.Container, engine.Program{
		UID: p.task.UID, GID: p.task.GID, Terminal: m.Terminal, Argv: prelude.Argv(mark, m), Env: prelude.Env(p.task, m),
	}); err != nil {
		return s, err
	}
	go func() {
		defer close(p.outEnded)
		if err := p.stream.Copy(p.out, errs); err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, net.ErrClosed) {
			p.log.Info("the exec stream ended", "cause", err)
		}
	}()
	if err := p.awaitReport(ctx); err != nil {
		return s, err
	}
	if err := p.startError(m); err != nil {
		p.stream.Close() // the prelude ends by itself
		p.stream = nil
		ignored, ok := m.UseFallback()
		if !ok {
			return s, err
		}
		select {
		case <-p.outEnded:
		case <-ctx.Done():
			return s, err
		}
		p.outEnded = make(chan struct{})
		s, err = p.start(ctx, m, out, errs)
		s.Notice = cmp.Or(s.Notice, ignored)
		return s, err
	}
	if m.Terminal && m.Rows > 0 && m.Cols > 0 {
		if err := p.stream.Resize(ctx, m.Rows, m.Cols); err != nil {
			return s, err
		}
	}
	if _, err := p.stream.Write([]byte("\n")); err != nil {
		return s, err
	}
	switch dirs := []string{m.Cwd, p.task.Home}; p.report.Code {
	case 1, 2:
		s.Notice = "could not change directory to " + dirs[p.report.Code-1]
	}
	return s, nil
}

// awaitReport waits for the prelude's line.
func (p *execStream) awaitReport(ctx context.Context) error {
	line := ""
	select {
	case line = <-p.out.first:
	case <-p.outEnded:
		select {
		case line = <-p.out.first:
		default:
			line = string(p.out.line) // an error of the runtime may not end with a newline
		}
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", engine.ErrDown, ctx.Err())
	}
	var ok bool
	if p.report, ok = prelude.ParseReport(line, p.out.mark); ok {
		return nil
	}
	cause := errors.New("the first line of output is not the prelude's: " + line)
	if strings.Contains(line, prelude.Shell) && strings.Contains(line, "no such file") {
		return usererr.New(usererr.Container, "there is no "+prelude.Shell+" in the container",
			"ask the administrator to run: dockershctl explain USER (and to install a shell in the image or container)", cause)
	}
	return usererr.New(usererr.Container, "the container cannot start a session", usererr.ReadLog, cause)
}

// startError returns the error of a program that cannot be run, in the same words as
// the agent.
func (p *execStream) startError(m *wire.Start) error {
	switch p.report.Code {
	case prelude.NoProgram:
		return wire.NoProgram(m.Path, nil)
	case prelude.NotProgram:
		return usererr.New(usererr.Container, "cannot run "+m.Path+" in the container", "", nil)
	}
	return nil
}

func (p *execStream) Write(b []byte) (int, error) { return p.stream.Write(b) }
func (p *execStream) CloseWrite() error           { return p.stream.CloseWrite() }

func (p *execStream) resize(ctx context.Context, rows, cols uint16) error {
	return p.stream.Resize(ctx, rows, cols)
}

func (p *execStream) wait(ctx context.Context) (*wire.Exit, error) {
	select {
	case <-p.outEnded:
	case <-ctx.Done():
	}
	code, err := p.stream.Wait(ctx)
	if err != nil || exitstatus.IsKill(code) && p.stopped() {
		return nil, err
	}
	return &wire.Exit{Status: exitstatus.OfCode(code), OutOfMemory: p.outOfMemory(code)}, nil
}
