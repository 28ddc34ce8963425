package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/host/wait"
)

// Exec starts argv inside, with nothing added to the environment. It returns when the
// program runs; how it ends is not reported.
func (e *Engine) Exec(ctx context.Context, id string, as engine.As, argv []string) error {
	if len(argv) == 0 {
		return fmt.Errorf("exec in container %s: no program given", id)
	}
	user := dialect.User(as.UID, as.GID)
	if as.Name != "" {
		user = as.Name
	}
	return e.conn.CallFor(ctx, api.CallLimit, id, func(ctx context.Context, cli *client.Client) error {
		made, err := cli.ExecCreate(ctx, id, client.ExecCreateOptions{
			User: user, WorkingDir: "/", Cmd: argv,
		})
		if err != nil {
			return err
		}
		_, err = cli.ExecStart(ctx, made.ID, client.ExecStartOptions{Detach: true})
		return err
	})
}

// stream is a program that lives on when the connection ends, as everything does
// that the engine's exec starts (moby#9098).
type stream struct {
	conn     *api.Conn
	exec     string
	terminal bool
	hijacked client.HijackedResponse
}

// noDetach stands for the keys that detach from a program with a terminal,
// because the engine has ctrl-p ctrl-q where none are given and keeps the first
// of them back until it sees the next (moby#16679). Nobody types this; what is
// left of the fault is that ctrl-^ arrives together with the next key.
const noDetach = "ctrl-^,ctrl-],ctrl-_,ctrl-^,ctrl-],ctrl-_,ctrl-^,ctrl-],ctrl-_,ctrl-^"

// ExecStream starts a program and connects to it.
func (e *Engine) ExecStream(ctx context.Context, id string, p engine.Program) (engine.Stream, error) {
	s := &stream{conn: e.conn, terminal: p.Terminal}
	err := e.conn.CallFor(ctx, api.CallLimit, id, func(ctx context.Context, cli *client.Client) error {
		made, err := cli.ExecCreate(ctx, id, client.ExecCreateOptions{
			User: dialect.User(p.UID, p.GID), Env: p.Env, Cmd: p.Argv, WorkingDir: "/", TTY: p.Terminal, DetachKeys: noDetach,
			AttachStdin: true, AttachStdout: true, AttachStderr: true,
		})
		if err != nil {
			return err
		}
		r, err := cli.ExecAttach(ctx, made.ID, client.ExecAttachOptions{TTY: p.Terminal})
		s.exec, s.hijacked = made.ID, r.HijackedResponse
		return err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *stream) Write(p []byte) (int, error) { return s.hijacked.Conn.Write(p) }
func (s *stream) CloseWrite() error           { return s.hijacked.CloseWrite() }
func (s *stream) Close()                      { s.hijacked.Close() }

func (s *stream) Copy(out, errs io.Writer) error {
	var err error
	if s.terminal {
		_, err = io.Copy(out, s.hijacked.Reader)
	} else {
		_, err = stdcopy.StdCopy(out, errs, s.hijacked.Reader)
	}
	return api.Error(err)
}

func (s *stream) Resize(ctx context.Context, rows, cols uint16) error {
	return s.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ExecResize(ctx, s.exec, client.ExecResizeOptions{Height: uint(rows), Width: uint(cols)})
		return err
	})
}

// Wait polls: the API has no call that waits for an exec.
func (s *stream) Wait(ctx context.Context) (int, error) {
	for d := 2 * time.Millisecond; ; d = min(2*d, 250*time.Millisecond) {
		code, ended, err := s.state(ctx)
		if ended || err != nil {
			return code, err
		}
		wait.Sleep(ctx, d)
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
}

// state reports whether the program has ended, and returns its exit code.
func (s *stream) state(ctx context.Context) (code int, ended bool, err error) {
	err = s.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		if s.conn.Dialect().ExecStateInText {
			code, ended, err = s.stateInText(ctx, cli)
			return err
		}
		r, err := cli.ExecInspect(ctx, s.exec, client.ExecInspectOptions{})
		code, ended = r.ExitCode, !r.Running
		return api.NotFound(err, engine.ErrNotFound)
	})
	return code, ended, err
}

// stateInText asks without the client, which refuses the answer of such an engine.
func (s *stream) stateInText(ctx context.Context, cli *client.Client) (code int, ended bool, err error) {
	r, err := api.Do(ctx, cli, http.MethodGet, "/v"+cli.ClientVersion()+"/exec/"+s.exec+"/json", nil)
	if err != nil {
		return 0, false, err
	}
	defer r.Body.Close()
	switch r.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return 0, false, api.NotFound(cerrdefs.ErrNotFound.WithMessage("no exec "+s.exec), engine.ErrNotFound)
	default:
		return 0, false, fmt.Errorf("exec %s: the engine answers %s", s.exec, r.Status)
	}
	var state struct {
		Running  bool
		ExitCode int
	}
	err = json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20)).Decode(&state)
	return state.ExitCode, !state.Running, err
}
