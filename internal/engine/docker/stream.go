package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// stream is a program in a container whose input and output come over a
// connection to the engine. It lives on when the connection ends: so does
// whatever the engine's exec starts (moby#9098).
type stream struct {
	e        *Engine
	exec     string
	terminal bool
	conn     client.HijackedResponse
}

// noDetach stands for the keys that detach from a program with a terminal,
// because the engine has ctrl-p ctrl-q where none are given and keeps the first
// of them back until it sees the next (moby#16679). Nobody types this; what is
// left of the fault is that ctrl-^ arrives together with the next key.
const noDetach = "ctrl-^,ctrl-],ctrl-_,ctrl-^,ctrl-],ctrl-_,ctrl-^,ctrl-],ctrl-_,ctrl-^"

// ExecStream is engine.Execs'.
func (e *Engine) ExecStream(ctx context.Context, container string, p engine.Program) (engine.Stream, error) {
	s := &stream{e: e, terminal: p.Terminal}
	err := e.named(ctx, callLimit, container, func(ctx context.Context, cli *client.Client) error {
		made, err := cli.ExecCreate(ctx, container, client.ExecCreateOptions{
			User: numbers(p.UID, p.GID), Env: p.Env, Cmd: p.Argv, WorkingDir: "/", TTY: p.Terminal, DetachKeys: noDetach,
			AttachStdin: true, AttachStdout: true, AttachStderr: true,
		})
		if err != nil {
			return err
		}
		r, err := cli.ExecAttach(ctx, made.ID, client.ExecAttachOptions{TTY: p.Terminal})
		s.exec, s.conn = made.ID, r.HijackedResponse
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Write sends input.
func (s *stream) Write(p []byte) (int, error) { return s.conn.Conn.Write(p) }

// CloseWrite ends the input.
func (s *stream) CloseWrite() error { return s.conn.CloseWrite() }

// Close ends the connection, not the program.
func (s *stream) Close() { s.conn.Close() }

// Copy writes the program's output until it ends. With a terminal all of it goes
// to out.
func (s *stream) Copy(out, errs io.Writer) error {
	var err error
	if s.terminal {
		_, err = io.Copy(out, s.conn.Reader)
	} else {
		_, err = stdcopy.StdCopy(out, errs, s.conn.Reader)
	}
	return mapped(err)
}

// Resize sets the size of the terminal. The engine waits until there is one.
func (s *stream) Resize(ctx context.Context, rows, cols uint16) error {
	return s.e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ExecResize(ctx, s.exec, client.ExecResizeOptions{Height: uint(rows), Width: uint(cols)})
		return err
	})
}

// exit reports whether the program has ended, and returns its exit code.
func (s *stream) exit(ctx context.Context) (code int, ended bool, err error) {
	err = s.e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		var err error
		code, ended, err = s.e.execState(ctx, cli, s.exec)
		return notFound(err, engine.ErrNotFound)
	})
	return code, ended, err
}

// Wait asks until the program has ended.
func (s *stream) Wait(ctx context.Context) (int, error) {
	for d := 2 * time.Millisecond; ; d = min(2*d, 250*time.Millisecond) {
		code, ended, err := s.exit(ctx)
		if ended || err != nil {
			return code, err
		}
		if err := pause(ctx, d); err != nil {
			return 0, err
		}
	}
}

// Running reports whether the container runs; one that does not exist does not.
func (e *Engine) Running(ctx context.Context, container string) (bool, error) {
	r, err := e.inspect(ctx, container)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil && r.State.Running, err
}

// oomLag is how long the engine may take to learn of such a kill.
const oomLag = 300 * time.Millisecond

// stamp is a time as the engine's listing of events takes it.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// OutOfMemory reports whether the kernel killed something in the container for
// memory since then. The engine remembers its last events only.
func (e *Engine) OutOfMemory(ctx context.Context, container string, since time.Time) (bool, error) {
	found := false
	err := e.named(ctx, 5*time.Second, container, func(ctx context.Context, cli *client.Client) error {
		r := cli.Events(ctx, client.EventsListOptions{
			Since: stamp(since), Until: stamp(time.Now().Add(oomLag)),
			Filters: make(client.Filters).Add("container", container).Add("event", string(events.ActionOOM)),
		})
		for {
			select {
			case <-r.Messages:
				found = true
				return nil
			case err := <-r.Err:
				if err == io.EOF {
					return nil
				}
				return err
			}
		}
	})
	if err != nil {
		return false, fmt.Errorf("events of container %s: %w", container, err)
	}
	return found, nil
}
