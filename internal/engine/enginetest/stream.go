package enginetest

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/dockersh/dockersh/internal/engine"
)

// Inside is a program that ExecStream started, as the container sees it.
type Inside struct {
	engine.Program
	ID        string    // of the container
	In        io.Reader // what was written to the stream
	Out, Errs io.Writer // the same with a terminal
	// Sizes receives every size of the terminal, as rows and columns.
	Sizes <-chan [2]uint16
}

// ExecStream implements engine.Engine: OnStream is the program, and its result the
// exit code. Without OnStream the program ends at once with 0.
func (f *Fake) ExecStream(ctx context.Context, id string, p engine.Program) (engine.Stream, error) {
	err := f.begin(ctx, "ExecStream")
	if err == nil {
		err = f.running(id)
	}
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s := &stream{terminal: p.Terminal, ended: make(chan struct{}), sizes: make(chan [2]uint16, 8)}
	in, out, errs := io.Reader(nil), io.Writer(nil), io.Writer(nil)
	in, s.in = io.Pipe()
	s.out, out = pipe(&s.ends)
	s.errs, errs = pipe(&s.ends)
	if p.Terminal {
		errs = out
	}
	go func() {
		if f.OnStream != nil {
			s.code = f.OnStream(Inside{Program: p, ID: id, In: in, Out: out, Errs: errs, Sizes: s.sizes})
		}
		close(s.ended)
		for _, end := range s.ends {
			_ = end.Close()
		}
	}()
	return s, nil
}

func pipe(ends *[]io.Closer) (io.ReadCloser, io.Writer) {
	r, w := io.Pipe()
	*ends = append(*ends, w)
	return r, w
}

// stream is the caller's side of a program, which goes on when the stream is closed.
type stream struct {
	terminal  bool
	in        io.WriteCloser
	out, errs io.ReadCloser
	ends      []io.Closer // of out and errs, inside
	sizes     chan [2]uint16
	ended     chan struct{}
	code      int // valid once ended is closed
}

func (s *stream) Write(p []byte) (int, error) { return s.in.Write(p) }
func (s *stream) CloseWrite() error           { return s.in.Close() }

func (s *stream) Close() { _, _, _ = s.in.Close(), s.out.Close(), s.errs.Close() }

func (s *stream) Copy(out, errs io.Writer) error {
	var second error
	var both sync.WaitGroup
	if !s.terminal {
		both.Go(func() { _, second = io.Copy(errs, s.errs) })
	}
	_, err := io.Copy(out, s.out)
	both.Wait()
	if err == nil {
		err = second
	}
	return err
}

func (s *stream) Resize(ctx context.Context, rows, cols uint16) error {
	if !s.terminal {
		return fmt.Errorf("the program has no terminal")
	}
	select {
	case s.sizes <- [2]uint16{rows, cols}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *stream) Wait(ctx context.Context) (int, error) {
	select {
	case <-s.ended:
		return s.code, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
