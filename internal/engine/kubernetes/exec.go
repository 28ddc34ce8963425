package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/stream"
)

// Exec starts a program, detached.
func (e *Engine) Exec(ctx context.Context, id string, as engine.As, argv []string) error {
	if len(argv) == 0 {
		return errNoProgram
	}
	if as.Name != "" {
		return fmt.Errorf("a pod has the numbers that it was made with, and no user %s", as.Name)
	}
	code, err := engine.Run(ctx, e, id, engine.Program{UID: as.UID, GID: as.GID,
		Argv: append([]string{"/bin/sh", "-c", `"$@" </dev/null >/dev/null 2>&1 &`, "sh"}, argv...)})
	if err == nil && code != 0 {
		err = fmt.Errorf("the shell of the container ended with exit code %d", code)
	}
	return err
}

var (
	errNoProgram  = errors.New("there is no program to run")
	errNotRunning = errors.New("the pod does not run")
	errNumbers    = errors.New("programs in a pod have the numbers that it was made with")
)

// ExecStream starts a program. The API takes neither numbers nor an environment: a program has the
// pod's numbers, or is refused. What is in argv and Env is in the API server's log of requests.
func (e *Engine) ExecStream(ctx context.Context, id string, p engine.Program) (engine.Stream, error) {
	if len(p.Argv) == 0 {
		return nil, errNoProgram
	}
	if !p.Waits {
		if err := e.admitsExec(ctx, id, p); err != nil {
			return nil, err
		}
	}
	_, name, ok := splitID(id)
	if !ok {
		return nil, fmt.Errorf("%w: %q is not an id", engine.ErrNotFound, id)
	}
	s, err := e.stream(ctx, name, withEnv(p.Env, p.Argv), p.Terminal)
	if err == nil && p.Waits {
		if err = e.admitsExec(ctx, id, p); err != nil {
			s.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// admitsExec returns why a program cannot be started in a pod.
func (e *Engine) admitsExec(ctx context.Context, id string, p engine.Program) error {
	pod, err := e.podOfID(ctx, id)
	if err != nil {
		return err
	}
	if stateOf(pod) != engine.Running {
		return errNotRunning
	}
	if !hasNumbers(pod.Spec.SecurityContext, p.UID, p.GID) {
		return fmt.Errorf("%w: not %d:%d", errNumbers, p.UID, p.GID)
	}
	return nil
}

func hasNumbers(s *corev1.PodSecurityContext, uid, gid uint32) bool {
	return s != nil && s.RunAsUser != nil && *s.RunAsUser == int64(uid) && s.RunAsGroup != nil && *s.RunAsGroup == int64(gid)
}

// withEnv returns argv with what adds to its environment.
func withEnv(env, argv []string) []string {
	if len(env) == 0 {
		return argv
	}
	words := append([]string{"/bin/sh", "-c", `n=$1; shift; while [ "$n" -gt 0 ]; do export "$1"; shift; n=$((n-1)); done; exec "$@"`, "sh",
		strconv.Itoa(len(env))}, env...)
	return append(words, argv...)
}

func (e *Engine) stream(ctx context.Context, pod string, argv []string, terminal bool) (*stream.Stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	socket, spdy, err := e.executors(pod, argv, terminal)
	if err != nil {
		return nil, err
	}
	e.calls.Add(1)
	return stream.Open(ctx, socket, spdy, terminal, explain)
}

// executors returns the ways to start a program: over a WebSocket, and over SPDY.
func (e *Engine) executors(pod string, argv []string, terminal bool) (socket, spdy remotecommand.Executor, err error) {
	query := url.Values{"container": {manifest.Main}, "command": argv, "stdin": {"true"}, "stdout": {"true"}}
	if terminal {
		query.Set("tty", "true")
	} else {
		query.Set("stderr", "true")
	}
	at := e.core.Get().Namespace(e.namespace).Resource("pods").Name(pod).SubResource("exec").URL()
	at.RawQuery = query.Encode()
	if socket, err = remotecommand.NewWebSocketExecutor(e.config, "GET", at.String()); err != nil {
		return nil, nil, err
	}
	spdy, err = remotecommand.NewSPDYExecutor(rest.CopyConfig(e.config), "POST", at)
	return socket, spdy, err
}
