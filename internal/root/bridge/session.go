package bridge

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// upstream is what carries a session behind us: a program that the engine's exec
// started, or an agent.
type upstream interface {
	// hello is the first word to the front.
	hello() (*wire.Hello, error)
	// start starts the program, whose output goes to out and errs from then on.
	// notice is a line for the user, or empty.
	start(ctx context.Context, m *wire.Start, out, errs io.Writer) (notice string, err error)
	// Write sends input, and CloseWrite is its end.
	io.Writer
	CloseWrite() error
	// resize sets the size of the program's terminal.
	resize(ctx context.Context, rows, cols uint16) error
	// signal reaches the program's process group.
	signal(ctx context.Context, sig unix.Signal) error
	// wait waits until the program has ended and its output is written. Without an
	// exit and without an error it was the end of the container.
	wait(ctx context.Context) (*wire.Exit, error)
	// hangUp ends a program whose front is gone. What was not started has no end.
	hangUp()
}

// session is the one that this process is for.
type session struct {
	front    channel.Conn
	task     *wire.Bridge
	up       upstream
	recorder *recorder // nil: it is not recorded
	log      *slog.Logger

	start *wire.Start
	in    int // descriptor that the input comes from
}

// begin starts the program and tells the front so. The descriptors are ours from
// here on.
func (s *session) begin(m *wire.Start, fds []int) error {
	// The descriptors do not go into the container, but we read and write them with
	// more rights than the front has.
	if err := m.Check(fds, sys.Passable); err != nil {
		return err
	}
	if !m.Terminal && (s.task.Agent || s.task.Record) {
		return usererr.New(usererr.Protocol, "this session has a terminal", "", nil)
	}
	s.start = m
	var pass []int
	if m.Terminal {
		master, slave, err := terminal(m)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(master) }()
		fds, pass = []int{slave, slave, slave}, []int{master}
	}
	s.in = fds[0]
	ctx, cancel := background(beginLimit)
	defer cancel()
	var out io.Writer = &sink{fd: fds[1], broken: s.brokenPipe}
	if s.recorder != nil {
		if err := s.recorder.begin(s.task.Title, m); err != nil {
			return usererr.New(usererr.Unavailable, "this session cannot be recorded", usererr.ReadLog, err)
		}
		// What was shown is in it, whatever comes.
		out = io.MultiWriter(s.recorder, out)
	}
	notice, err := s.up.start(ctx, m, out, &sink{fd: fds[2], broken: func() {}})
	if err != nil {
		return err
	}
	return s.front.Send(&wire.Started{Terminal: m.Terminal, Notice: notice}, pass...)
}

// attend carries the session until it is over, or its front is gone.
func (s *session) attend() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { s.listen(ctx); cancel() }()
	go s.input()
	if s.start.Terminal {
		go s.resizes()
	}
	var exit *wire.Exit
	var err error
	over := make(chan struct{})
	go func() { exit, err = s.up.wait(ctx); close(over) }()
	select {
	case <-over:
	case <-ctx.Done(): // not in the hands of who is behind us
	}
	if s.recorder != nil {
		s.recorder.close()
	}
	switch {
	case ctx.Err() != nil:
		s.up.hangUp()
	case err != nil:
		// The engine was restarted, or the container removed: the front asks the
		// broker what happened.
		s.log.Warn("session lost", "cause", err)
		_ = s.front.Close()
		s.up.hangUp()
	case exit != nil:
		_ = s.front.Send(exit)
	}
}

// listen takes the front's signals until it is gone.
func (s *session) listen(ctx context.Context) {
	for {
		m, fds, err := s.front.Recv()
		seqpacket.CloseAll(fds)
		sig, ok := m.(*wire.Signal)
		if err != nil || !ok {
			return
		}
		if err := s.up.signal(ctx, unix.Signal(sig.Number)); err != nil {
			s.log.Info("signal", "number", sig.Number, "cause", err)
		}
	}
}

// brokenPipe tells a program whose output nobody takes any more, as the kernel
// would.
func (s *session) brokenPipe() {
	if s.start.Terminal {
		return // the front is gone: the session is hung up
	}
	go func() {
		ctx, cancel := background(hangUpLimit)
		defer cancel()
		_ = s.up.signal(ctx, unix.SIGPIPE)
	}()
}

// terminal makes what the front takes for the session's terminal: a pty of the
// host that changes nothing of what passes. The session has another one, in the
// container. Ours is our controlling terminal: that is how the kernel tells us of
// a new size.
func terminal(m *wire.Start) (master, slave int, err error) {
	if master, slave, err = tty.Open(); err != nil {
		return -1, -1, err
	}
	modes, err := tty.Get(slave)
	if err == nil {
		err = modes.Raw(slave)
	}
	if err == nil {
		err = tty.SetSize(slave, m.Rows, m.Cols)
	}
	if err == nil {
		err = unix.IoctlSetInt(slave, unix.TIOCSCTTY, 0)
	}
	if err != nil {
		seqpacket.CloseAll([]int{master, slave})
	}
	return master, slave, err
}

// input carries the front's input until its end.
func (s *session) input() {
	buf := make([]byte, 32<<10)
	for {
		n := source(s.in, buf)
		if n == 0 {
			_ = s.up.CloseWrite() // of a terminal: it is gone, and so is the front
			return
		}
		if _, err := s.up.Write(buf[:n]); err != nil {
			return // nobody reads it any more
		}
	}
}

// resizes passes every new size on.
func (s *session) resizes() {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, unix.SIGWINCH)
	rows, cols := s.start.Rows, s.start.Cols
	for {
		if r, c, err := tty.Size(s.in); err == nil && (r != rows || c != cols) {
			if s.recorder != nil {
				s.recorder.resize(r, c) // before what the program makes of it
			}
			ctx, cancel := background(beginLimit)
			if err := s.up.resize(ctx, r, c); err == nil {
				rows, cols = r, c
			}
			cancel()
		}
		<-changed
	}
}

// background is the context of what must be done although the session is over.
func background(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
