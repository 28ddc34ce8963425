package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	exec "k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/dockersh/dockersh/internal/engine"
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
	pod, err := e.podOfID(ctx, id)
	if err != nil {
		return nil, err
	}
	if stateOf(pod) != engine.Running {
		return nil, errNotRunning
	}
	if !hasNumbers(pod.Spec.SecurityContext, p.UID, p.GID) {
		return nil, fmt.Errorf("%w: not %d:%d", errNumbers, p.UID, p.GID)
	}
	return e.stream(ctx, pod.Name, withEnv(p.Env, p.Argv), p.Terminal)
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

// stream is a program whose streams go over a WebSocket, or over SPDY where there is something on
// the way that knows no WebSockets.
type stream struct {
	input  *io.PipeWriter
	outs   chan [2]io.Writer // of Copy
	sizes  chan remotecommand.TerminalSize
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // once it has ended
	copied sync.Once
}

func (e *Engine) stream(ctx context.Context, pod string, argv []string, terminal bool) (*stream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	socket, spdy, err := e.executors(pod, argv, terminal)
	if err != nil {
		return nil, err
	}
	run, err := remotecommand.NewFallbackExecutor(socket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) && refusal(err) == nil || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return nil, err
	}
	e.calls.Add(1)
	return start(ctx, run, terminal), nil
}

// start starts a program.
func start(ctx context.Context, run remotecommand.Executor, terminal bool) *stream {
	in, input := io.Pipe()
	// The stream outlives the call that began it.
	streaming, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &stream{input: input, outs: make(chan [2]io.Writer, 1), sizes: make(chan remotecommand.TerminalSize, 1),
		cancel: cancel, ended: make(chan struct{})}
	out, errs := &late{given: make(chan struct{})}, &late{given: make(chan struct{})}
	go func() {
		w := <-s.outs
		out.to, errs.to = w[0], w[1]
		close(out.given)
		close(errs.given)
	}()
	o := remotecommand.StreamOptions{Stdin: in, Stdout: out, Stderr: errs, Tty: terminal}
	if terminal {
		o.Stderr, o.TerminalSizeQueue = nil, s
	}
	go func() {
		s.err = run.StreamWithContext(streaming, o)
		_ = input.Close() // what still reads from it is at its end
		cancel()
		close(s.ended)
		s.copied.Do(func() { s.outs <- [2]io.Writer{io.Discard, io.Discard} })
	}()
	return s
}

// refusal returns what the API server answered to an upgrade; nil where something on the way refused it.
func refusal(err error) error {
	var upgrade *httpstream.UpgradeFailureError
	var status *apierrors.StatusError
	if errors.As(err, &upgrade) && errors.As(upgrade.Cause, &status) {
		return status
	}
	return nil
}

// executors returns the ways to start a program: over a WebSocket, and over SPDY.
func (e *Engine) executors(pod string, argv []string, terminal bool) (socket, spdy remotecommand.Executor, err error) {
	query := url.Values{"container": {mainContainer}, "command": argv, "stdin": {"true"}, "stdout": {"true"}}
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

// late is an output that waits for Copy.
type late struct {
	given chan struct{}
	to    io.Writer
}

func (l *late) Write(p []byte) (int, error) {
	<-l.given
	return l.to.Write(p)
}

func (s *stream) Write(p []byte) (int, error) { return s.input.Write(p) }
func (s *stream) CloseWrite() error           { return s.input.Close() }

// Close ends the connection.
func (s *stream) Close() {
	s.cancel()
	s.copied.Do(func() { s.outs <- [2]io.Writer{io.Discard, io.Discard} })
}

// Copy writes the output until the program ends.
func (s *stream) Copy(out, errs io.Writer) error {
	s.copied.Do(func() { s.outs <- [2]io.Writer{out, errs} })
	<-s.ended
	if _, err := s.code(); err != nil {
		return err
	}
	return nil
}

// Resize sets the size of the terminal.
func (s *stream) Resize(ctx context.Context, rows, cols uint16) error {
	select {
	case s.sizes <- remotecommand.TerminalSize{Width: cols, Height: rows}:
		return nil
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Next is for remotecommand.
func (s *stream) Next() *remotecommand.TerminalSize {
	select {
	case size := <-s.sizes:
		return &size
	case <-s.ended:
		return nil
	}
}

// Wait returns the exit code. Where the connection ended first, nobody knows it.
func (s *stream) Wait(ctx context.Context) (int, error) {
	select {
	case <-s.ended:
		return s.code()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (s *stream) code() (int, error) {
	var exit exec.CodeExitError
	switch {
	case s.err == nil:
		return 0, nil
	case errors.As(s.err, &exit):
		return exit.Code, nil
	case strings.Contains(s.err.Error(), "no such file or directory"), strings.Contains(s.err.Error(), "executable file not found"):
		return 127, nil // the runtime's own words
	case errors.Is(s.err, context.Canceled):
		return 0, fmt.Errorf("%w: the connection to the program was closed", engine.ErrNotFound)
	}
	if refused := refusal(s.err); refused != nil {
		return 0, explain(refused)
	}
	return 0, explain(s.err)
}
