package bridge

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"dockersh/internal/channel"
	"dockersh/internal/engine/docker"
	"dockersh/internal/seqpacket"
	"dockersh/internal/sys"
	"dockersh/internal/tty"
	"dockersh/internal/usererr"
	"dockersh/internal/wire"
)

// session is the one that this process is for.
type session struct {
	front  channel.Conn
	engine *docker.Engine
	task   *wire.Bridge
	log    *slog.Logger
	begun  time.Time

	start  *wire.Start
	stream *docker.Stream
	in     int // descriptor that the input comes from
	out    *output
	errs   *sink
	over   chan struct{} // closed at the end of the output
	inside report        // zero until the prelude has said it
}

// begin starts the program and tells the front so. The descriptors are ours from
// here on.
func (s *session) begin(m *wire.Start, fds []int) error {
	if len(m.Argv) == 0 {
		return usererr.New(usererr.Protocol, "no program to run", "", nil)
	}
	for _, fd := range fds {
		// They do not go into the container, but we read and write them with more
		// rights than the front has.
		if !sys.Passable(fd) {
			return usererr.New(usererr.Protocol, "a descriptor of the host may not enter a container", "", nil)
		}
	}
	s.start, s.over = m, make(chan struct{})
	master := -1
	if m.Terminal {
		var slave int
		var err error
		if master, slave, err = terminal(m); err != nil {
			return err
		}
		defer func() { _ = unix.Close(master) }()
		fds = []int{slave, slave, slave}
	}
	s.in = fds[0]
	mark := rand.Text()
	s.out = &output{to: &sink{fd: fds[1], broken: s.brokenPipe}, mark: mark, first: make(chan string, 1)}
	if m.Terminal {
		s.out.echo = len(echoed)
	}
	s.errs = &sink{fd: fds[2], broken: func() {}}

	ctx, cancel := background(beginLimit)
	defer cancel()
	notice, err := s.open(ctx, mark)
	if err != nil {
		return err
	}
	var pass []int
	if m.Terminal {
		pass = []int{master}
	}
	return s.front.Send(&wire.Started{Terminal: m.Terminal, Notice: notice}, pass...)
}

// open starts the prelude, hears what it says, and lets it become the program.
func (s *session) open(ctx context.Context, mark string) (notice string, err error) {
	m := s.start
	if s.stream, err = s.engine.Open(ctx, s.task.Container, docker.Program{
		UID: s.task.UID, GID: s.task.GID, Terminal: m.Terminal, Argv: argv(mark, m), Env: env(s.task, m),
	}); err != nil {
		return "", err
	}
	go func() {
		defer close(s.over)
		if err := s.stream.Copy(s.out, s.errs); err != nil && !errors.Is(err, os.ErrClosed) && !errors.Is(err, net.ErrClosed) {
			s.log.Info("the stream ended", "cause", err)
		}
	}()
	if err := s.hear(ctx); err != nil {
		return "", err
	}
	if err := s.program(); err != nil {
		s.stream.Close() // the prelude ends by itself
		s.stream = nil
		return "", err
	}
	if m.Terminal {
		if m.Rows > 0 && m.Cols > 0 {
			if err := s.stream.Resize(ctx, m.Rows, m.Cols); err != nil {
				return "", err
			}
		}
	}
	if _, err := s.stream.Write([]byte("\n")); err != nil {
		return "", err
	}
	switch dirs := []string{m.Cwd, s.task.Home}; s.inside.code {
	case 1, 2:
		notice = "could not change directory to " + dirs[s.inside.code-1]
	}
	return notice, nil
}

// hear waits for the prelude's line.
func (s *session) hear(ctx context.Context) error {
	line := ""
	select {
	case line = <-s.out.first:
	case <-s.over:
		select {
		case line = <-s.out.first:
		default:
			line = string(s.out.line) // the runtime's words may have no end
		}
	case <-ctx.Done():
		return usererr.New(usererr.Unavailable, "the container engine does not answer", "try again, or ask the administrator", ctx.Err())
	}
	var ok bool
	if s.inside, ok = parse(line, s.out.mark); ok {
		return nil
	}
	cause := errors.New("instead of our own first line: " + line)
	if strings.Contains(line, shell) && strings.Contains(line, "no such file") {
		return usererr.New(usererr.Container, "there is no "+shell+" in the container", "ask the administrator: without it there are no sessions in a container of this kind", cause)
	}
	return usererr.New(usererr.Container, "the container starts no session", "ask the administrator: the cause is in the system log", cause)
}

// program is the error of a program that cannot be run, in the agent's words.
func (s *session) program() error {
	switch s.inside.code {
	case noProgram:
		return usererr.New(usererr.Container, "there is no "+s.start.Path+" in the container",
			`ask the administrator: "shell" must name a shell of the image`, nil)
	case notProgram:
		return usererr.New(usererr.Container, "cannot run "+s.start.Path+" in the container", "", nil)
	}
	return nil
}

// terminal makes what the front takes for the session's terminal: a pty of the
// host that changes nothing of what passes. The session has another one, which
// the container's runtime makes. Ours is our controlling terminal: that is how
// the kernel tells us of a new size.
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
			_ = s.stream.CloseWrite() // of a terminal: it is gone, and so is the front
			return
		}
		if _, err := s.stream.Write(buf[:n]); err != nil {
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
			ctx, cancel := background(beginLimit)
			if err := s.stream.Resize(ctx, r, c); err == nil {
				rows, cols = r, c
			}
			cancel()
		}
		<-changed
	}
}
