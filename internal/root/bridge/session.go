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
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// upstream is the other side of a session: an exec stream or an agent.
type upstream interface {
	// hello returns the first message to the front.
	hello() (*wire.Hello, error)
	// start starts the program, whose output goes to out and errs from then on. What it
	// returns has no terminal for the front.
	start(ctx context.Context, m *wire.Start, out, errs io.Writer) (agentclient.Started, error)
	// Write sends input, and CloseWrite ends it.
	io.Writer
	CloseWrite() error
	// resize sets the size of the program's terminal.
	resize(ctx context.Context, rows, cols uint16) error
	// signal sends a signal to the program's process group.
	signal(ctx context.Context, sig unix.Signal) error
	// wait waits until the program has ended and its output is written. If neither an
	// exit nor an error is returned, the container has ended.
	wait(ctx context.Context) (*wire.Exit, error)
	// hangUp ends a program whose front is gone, if one was started.
	hangUp()
}

// session is the one session of this process.
type session struct {
	front    channel.Conn
	task     *wire.Bridge
	upstream upstream
	recorder *recorder // nil: the session is not recorded
	over     func()    // is called when nobody is in the container for the session any more
	log      *slog.Logger

	start *wire.Start
	in    int            // descriptor that the input comes from
	size  *tty.SizeRelay // to the program's terminal; nil without one
}

// startProgram starts the program and reports that to the front. The descriptors
// belong to the session from here on.
func (s *session) startProgram(m *wire.Start, fds []int) error {
	// The descriptors do not go into the container, but the bridge reads and writes
	// them with more rights than the front has.
	if err := m.Check(fds, sys.Passable); err != nil {
		return err
	}
	if !m.Terminal && (s.task.Agent || s.task.Record) {
		return usererr.New(usererr.Protocol, "this session must have a terminal", "", nil)
	}
	s.start = m
	var pass []int
	if m.Terminal {
		master, slave, err := newTerminal(m)
		if err != nil {
			return err
		}
		var pipe [2]int
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			_ = unix.Close(master)
			return err
		}
		pass = []int{master, pipe[0]}
		defer func() { seqpacket.CloseAll(pass[:2]) }()
		fds = []int{slave, pipe[1], pipe[1]}
		s.size = tty.RelaySize(slave, m.Rows, m.Cols, s.resize)
	}
	s.in = fds[0]
	ctx, cancel := timeout(startLimit)
	defer cancel()
	var out io.Writer = &sink{fd: fds[1], broken: s.signalBrokenPipe}
	if s.recorder != nil {
		if err := s.recorder.start(s.task.Title, m); err != nil {
			return usererr.New(usererr.Unavailable, "this session cannot be recorded", usererr.ReadLog, err)
		}
		// The recorder comes first: whatever happens, what was shown is recorded.
		out = io.MultiWriter(s.recorder, out)
	}
	started, err := s.upstream.start(ctx, m, out, &sink{fd: fds[2], broken: func() {}})
	if err != nil {
		return err
	}
	if started.SSHAgent >= 0 {
		pass = append(pass, started.SSHAgent)
		defer func() { _ = unix.Close(started.SSHAgent) }()
	}
	return s.front.Send(&wire.Started{
		Terminal: m.Terminal, Notice: started.Notice, SSHAgent: started.SSHAgent >= 0, X11: started.X11, Piped: m.Terminal,
	}, pass...)
}

// carry carries the session until the program has ended or the front is gone.
func (s *session) carry() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { s.relaySignals(ctx); cancel() }()
	go s.copyInput()
	if s.size != nil {
		go s.relaySizes()
	}
	var exit *wire.Exit
	var err error
	over := make(chan struct{})
	go func() { exit, err = s.upstream.wait(ctx); close(over) }()
	select {
	case <-over:
	case <-ctx.Done(): // the other side cannot hold us up
	}
	if s.recorder != nil {
		s.recorder.close()
	}
	switch {
	case ctx.Err() != nil:
		s.upstream.hangUp()
	case err != nil:
		// The engine was restarted, or the container removed: the front asks the
		// broker what happened.
		s.log.Warn("session lost", "cause", err)
		_ = s.front.Close()
		s.upstream.hangUp()
	case exit != nil:
		_ = s.front.Send(exit)
	}
}

// relaySignals passes on the front's signals until the front is gone.
func (s *session) relaySignals(ctx context.Context) {
	for {
		m, fds, err := s.front.Recv()
		seqpacket.CloseAll(fds)
		sig, ok := m.(*wire.Signal)
		if err != nil || !ok {
			return
		}
		if err := s.upstream.signal(ctx, unix.Signal(sig.Number)); err != nil {
			s.log.Info("a signal was not delivered", "number", sig.Number, "cause", err)
		}
	}
}

// signalBrokenPipe sends SIGPIPE to a program whose output nobody reads any more, as
// the kernel would.
func (s *session) signalBrokenPipe() {
	if s.start.Terminal {
		return // the front is gone: the session is hung up
	}
	go func() {
		ctx, cancel := timeout(hangUpLimit)
		defer cancel()
		_ = s.upstream.signal(ctx, unix.SIGPIPE)
	}()
}

// newTerminal makes the terminal that the front knows: a pty of the host that
// changes nothing of what passes, for keys and sizes. The output goes through a pipe, which
// costs less. The program has another terminal, in the container.
// The pty becomes the controlling terminal of this process, which thereby gets
// SIGWINCH for every new size.
func newTerminal(m *wire.Start) (master, slave int, err error) {
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

// copyInput carries the front's input until its end.
func (s *session) copyInput() {
	buf := make([]byte, 32<<10)
	for {
		n := read(s.in, buf)
		if n == 0 {
			_ = s.upstream.CloseWrite() // the end of a terminal is also the end of its front
			return
		}
		if s.size != nil {
			s.size.Update()
		}
		if _, err := s.upstream.Write(buf[:n]); err != nil {
			return // the program does not read any more
		}
	}
}

// relaySizes passes on every new size.
func (s *session) relaySizes() {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, unix.SIGWINCH)
	for {
		s.size.Update()
		<-changed
	}
}

// resize sets the size of the program's terminal. What the program makes of it comes after it
// in the recording.
func (s *session) resize(rows, cols uint16) {
	if s.recorder != nil {
		s.recorder.resize(rows, cols)
	}
	ctx, cancel := timeout(startLimit)
	defer cancel()
	_ = s.upstream.resize(ctx, rows, cols) // fails if the session has ended
}

// timeout returns a context for what must be done although the session is over.
func timeout(d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), d)
}
