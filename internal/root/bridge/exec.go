package bridge

import (
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
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// program is a session that the engine's exec carries.
type program struct {
	engine engine.Engine
	task   *wire.Bridge
	log    *slog.Logger
	begun  time.Time

	terminal bool
	stream   engine.Stream // nil: there is none
	out      *output
	over     chan struct{} // closed at the end of the output
	inside   report        // zero until the prelude has said it
}

func newProgram(open engine.Opener, task *wire.Bridge, log *slog.Logger) (*program, error) {
	e, err := open(engine.Address{Host: task.Engine, TLS: task.TLS})
	if err != nil {
		return nil, err
	}
	return &program{engine: e, task: task, log: log, begun: time.Now(), over: make(chan struct{})}, nil
}

// hello needs nobody: there is no agent to be waited for.
func (p *program) hello() (*wire.Hello, error) { return &wire.Hello{Version: wire.Version}, nil }

// start starts the prelude, hears what it says, and lets it become the program.
func (p *program) start(ctx context.Context, m *wire.Start, out, errs io.Writer) (notice string, err error) {
	mark := rand.Text()
	p.terminal = m.Terminal
	p.out = &output{to: out, mark: mark, first: make(chan string, 1)}
	if m.Terminal {
		p.out.echo = len(echoed)
	}
	if p.stream, err = p.engine.ExecStream(ctx, p.task.Container, engine.Program{
		UID: p.task.UID, GID: p.task.GID, Terminal: m.Terminal, Argv: argv(mark, m), Env: env(p.task, m),
	}); err != nil {
		return "", err
	}
	go func() {
		defer close(p.over)
		if err := p.stream.Copy(p.out, errs); err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, net.ErrClosed) {
			p.log.Info("the stream ended", "cause", err)
		}
	}()
	if err := p.hear(ctx); err != nil {
		return "", err
	}
	if err := p.refusal(m); err != nil {
		p.stream.Close() // the prelude ends by itself
		p.stream = nil
		return "", err
	}
	if m.Terminal && m.Rows > 0 && m.Cols > 0 {
		if err := p.stream.Resize(ctx, m.Rows, m.Cols); err != nil {
			return "", err
		}
	}
	if _, err := p.stream.Write([]byte("\n")); err != nil {
		return "", err
	}
	switch dirs := []string{m.Cwd, p.task.Home}; p.inside.code {
	case 1, 2:
		notice = "could not change directory to " + dirs[p.inside.code-1]
	}
	return notice, nil
}

// hear waits for the prelude's line.
func (p *program) hear(ctx context.Context) error {
	line := ""
	select {
	case line = <-p.out.first:
	case <-p.over:
		select {
		case line = <-p.out.first:
		default:
			line = string(p.out.line) // the runtime's words may have no end
		}
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", engine.ErrDown, ctx.Err())
	}
	var ok bool
	if p.inside, ok = parse(line, p.out.mark); ok {
		return nil
	}
	cause := errors.New("instead of our own first line: " + line)
	if strings.Contains(line, shell) && strings.Contains(line, "no such file") {
		return usererr.New(usererr.Container, "there is no "+shell+" in the container", "ask the administrator: without it there are no sessions in a container of this kind", cause)
	}
	return usererr.New(usererr.Container, "the container starts no session", usererr.ReadLog, cause)
}

// refusal is the error of a program that cannot be run, in the agent's words.
func (p *program) refusal(m *wire.Start) error {
	switch p.inside.code {
	case noProgram:
		return usererr.New(usererr.Container, "there is no "+m.Path+" in the container",
			`ask the administrator: "shell" must name a shell of the image`, nil)
	case notProgram:
		return usererr.New(usererr.Container, "cannot run "+m.Path+" in the container", "", nil)
	}
	return nil
}

func (p *program) Write(b []byte) (int, error) { return p.stream.Write(b) }
func (p *program) CloseWrite() error           { return p.stream.CloseWrite() }

func (p *program) resize(ctx context.Context, rows, cols uint16) error {
	return p.stream.Resize(ctx, rows, cols)
}

func (p *program) wait(ctx context.Context) (*wire.Exit, error) {
	select {
	case <-p.over:
	case <-ctx.Done():
	}
	code, err := p.stream.Wait(ctx)
	if err != nil || exitstatus.IsKill(code) && p.stopped() {
		return nil, err
	}
	return &wire.Exit{Status: exitstatus.OfCode(code), OutOfMemory: p.outOfMemory(code)}, nil
}
