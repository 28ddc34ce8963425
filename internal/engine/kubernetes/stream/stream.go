// Package stream has programs whose streams go over a connection to the API server: a WebSocket, or
// SPDY where there is something on the way that knows no WebSockets.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/remotecommand"
	exec "k8s.io/client-go/util/exec"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/dockersh/dockersh/internal/engine"
)

// Stream is a program whose streams go over a connection. It implements engine.Stream.
type Stream struct {
	input  *io.PipeWriter
	outs   chan [2]io.Writer // of Copy
	sizes  chan remotecommand.TerminalSize
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // once it has ended
	copied sync.Once

	explain func(error) error
}

// Open starts a program over a WebSocket, or over SPDY where WebSockets are refused on the way.
// Explain puts errors of the API server into words of package engine.
func Open(ctx context.Context, socket, spdy remotecommand.Executor, terminal bool, explain func(error) error) (*Stream, error) {
	run, err := remotecommand.NewFallbackExecutor(socket, spdy, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) && refusal(err) == nil || httpstream.IsHTTPSProxyError(err)
	})
	if err != nil {
		return nil, err
	}
	return Start(ctx, run, terminal, explain), nil
}

// Start starts a program one way.
func Start(ctx context.Context, run remotecommand.Executor, terminal bool, explain func(error) error) *Stream {
	in, input := io.Pipe()
	// The stream outlives the call that began it.
	streaming, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Stream{input: input, outs: make(chan [2]io.Writer, 1), sizes: make(chan remotecommand.TerminalSize, 1),
		cancel: cancel, ended: make(chan struct{}), explain: explain}
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

// late is an output that waits for Copy.
type late struct {
	given chan struct{}
	to    io.Writer
}

func (l *late) Write(p []byte) (int, error) {
	<-l.given
	return l.to.Write(p)
}

// Write writes its input.
func (s *Stream) Write(p []byte) (int, error) { return s.input.Write(p) }

// CloseWrite ends its input.
func (s *Stream) CloseWrite() error { return s.input.Close() }

// Close ends the connection.
func (s *Stream) Close() {
	s.cancel()
	s.copied.Do(func() { s.outs <- [2]io.Writer{io.Discard, io.Discard} })
}

// Copy writes the output until the program ends.
func (s *Stream) Copy(out, errs io.Writer) error {
	s.copied.Do(func() { s.outs <- [2]io.Writer{out, errs} })
	<-s.ended
	if _, err := s.code(); err != nil {
		return err
	}
	return nil
}

// Resize sets the size of the terminal.
func (s *Stream) Resize(ctx context.Context, rows, cols uint16) error {
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
func (s *Stream) Next() *remotecommand.TerminalSize {
	select {
	case size := <-s.sizes:
		return &size
	case <-s.ended:
		return nil
	}
}

// Wait returns the exit code. Where the connection ended first, nobody knows it.
func (s *Stream) Wait(ctx context.Context) (int, error) {
	select {
	case <-s.ended:
		return s.code()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (s *Stream) code() (int, error) {
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
		return 0, s.explain(refused)
	}
	return 0, s.explain(s.err)
}
