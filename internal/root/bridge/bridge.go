// Package bridge is a root process between front and container that carries the
// bytes of one session. The broker, which itself never carries them, starts it in
// two cases: there is no agent, because dockersh did not make the container or its
// engine is on another host; or the terminal is recorded. To the front it speaks as
// an agent. Its other side is an exec stream, or an agent.
package bridge

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/version"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/carrier"
	"github.com/dockersh/dockersh/internal/root/syslog"
)

const (
	// firstMessage is how long broker and front may take for their first message.
	firstMessage = 10 * time.Second
	// startLimit is how long the engine or the agent may take to start a session: the
	// front waits a little longer.
	startLimit = 13 * time.Second
	maxFiles   = 256
)

// Main runs the bridge; the result is the exit code. Standard input is its one
// inherited descriptor: a socket whose other end is the broker's for the first
// message, which names what to do, and the front's from then on. The program may be a
// carrier instead, which is no part of a session.
func Main(open engine.Opener) int {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("dockersh-bridge", version.Get())
		return 0
	}
	if len(os.Args) > 1 && os.Args[1] == carrier.Option {
		return carrier.Main(os.Args[2:])
	}
	if len(os.Args) != 1 {
		_, _ = os.Stderr.WriteString("dockersh-bridge: error: dockershd starts it, with a socket and no arguments\n")
		return 2
	}
	out := syslog.New(os.Stderr, "dockersh-bridge")
	defer out.Flush(time.Second)
	err := endWith(0, afterFront, func() error { return run(slog.New(out.Handler()), open) })
	if err != nil {
		return 1
	}
	return 0
}

func run(log *slog.Logger, open engine.Opener) error {
	confine()
	unix.CloseOnExec(0)
	c, err := channel.New(0)
	if err != nil {
		return err
	}
	defer c.Close()
	lift := c.Within(firstMessage)
	m, fds, err := c.Recv()
	if err != nil {
		return err // the broker gave up the login
	}
	task, ok := m.(*wire.Bridge)
	if !ok {
		seqpacket.CloseAll(fds)
		return wire.ErrMessage
	}
	s := &session{front: c, task: task, over: func() {}, log: log.With("uid", task.UID, "container", task.Container)}
	defer func() { s.over() }()
	if err := s.connect(open, fds); err != nil {
		return err
	}
	hello, err := s.upstream.hello()
	if err != nil {
		return err
	}
	if err := c.Send(hello); err != nil {
		return err
	}
	c.Within(firstMessage)
	if m, fds, err = c.Recv(); err != nil {
		return err
	}
	start, ok := m.(*wire.Start)
	if !ok {
		seqpacket.CloseAll(fds)
		return wire.ErrMessage
	}
	lift()
	if err := s.startProgram(start, fds); err != nil {
		s.refuse(err)
		return err
	}
	s.carry()
	return nil
}

// connect makes the session's other side. The descriptors are an agent's connection,
// if that is the other side, and the file of the recording, if there is one.
func (s *session) connect(open engine.Opener, fds []int) (err error) {
	switch at := (engine.Address{Host: s.task.Engine}); {
	case s.task.Agent:
		s.upstream, err = newAgentSession(fds[0])
		fds = fds[1:]
	case at.IsCluster():
		s.upstream, s.over, err = newPodStream(open, s.task)
	default:
		s.upstream, err = newExecStream(open, s.task, s.log)
	}
	if s.task.Record {
		s.recorder = &recorder{fd: fds[0], log: s.log}
	}
	return err
}

// confine gives up what a session does not need. The rights of the broker stay: a
// process that can reach the engine has them anyway.
func confine() {
	sys.CloseOnExecFrom(3)
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: maxFiles, Max: maxFiles})
	// The end of the front's terminal, or of the log's reader, must not end us.
	signal.Ignore(unix.SIGHUP, unix.SIGPIPE, unix.SIGINT, unix.SIGQUIT)
}

// refuse tells the front why there is no session, and ends what was started of it.
func (s *session) refuse(err error) {
	defer s.upstream.hangUp()
	if errors.Is(err, agentclient.ErrSilent) {
		_ = s.front.Close() // the front asks the broker why
		return
	}
	e := usererr.For(engine.Explain(err, "the session cannot be started in the container"))
	s.log.Warn("refused", "text", e.Text, "cause", e.Cause)
	s.front.Within(time.Second)
	_ = s.front.Send(wire.NewError(e))
}
