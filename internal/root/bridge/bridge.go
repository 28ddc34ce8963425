// Package bridge stands between front and container where a session's bytes must
// pass through hands that are neither's: where there is no agent, in a container
// that dockersh did not make or one of an engine elsewhere, and where the terminal
// is recorded. It is a process a session, started by the broker, which itself never
// carries a session's bytes. To the front it says what an agent says; behind it is
// a program that the engine's exec started, or an agent.
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
	"github.com/dockersh/dockersh/internal/root/syslog"
)

const (
	// firstWord is how long broker and front may take for their first message.
	firstWord = 10 * time.Second
	// beginLimit is how long the engine may take to begin a session: the front
	// waits a little longer.
	beginLimit = 13 * time.Second
	maxFiles   = 256
)

// Main runs the bridge; the result is the exit code. Standard input is its one
// inherited descriptor: a socket, on which the broker says first what to do. Then
// the other end is the front's.
func Main(open engine.Opener) int {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println("dockersh-bridge", version.Get())
		return 0
	}
	if len(os.Args) != 1 {
		_, _ = os.Stderr.WriteString("dockersh-bridge: error: it is started by dockershd, with nothing but a socket\n")
		return 2
	}
	out := syslog.New(os.Stderr, "dockersh-bridge")
	defer out.Close(time.Second)
	if err := run(slog.New(out.Handler()), open); err != nil {
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
	lift := c.Within(firstWord)
	m, fds, err := c.Recv()
	if err != nil {
		return err // the login was given up
	}
	task, ok := m.(*wire.Bridge)
	if !ok {
		seqpacket.CloseAll(fds)
		return wire.ErrMessage
	}
	s := &session{front: c, task: task, log: log.With("uid", task.UID, "container", task.Container)}
	if err := s.behind(open, fds); err != nil {
		return err
	}
	hello, err := s.up.hello()
	if err != nil {
		return err
	}
	if err := c.Send(hello); err != nil {
		return err
	}
	c.Within(firstWord)
	if m, fds, err = c.Recv(); err != nil {
		return err
	}
	start, ok := m.(*wire.Start)
	if !ok {
		seqpacket.CloseAll(fds)
		return wire.ErrMessage
	}
	lift()
	if err := s.begin(start, fds); err != nil {
		s.leave(err)
		return err
	}
	s.attend()
	return nil
}

// behind puts what the broker gave behind the session.
func (s *session) behind(open engine.Opener, fds []int) (err error) {
	if s.task.Agent {
		s.up, err = newAgent(fds[0])
		fds = fds[1:]
	} else {
		s.up, err = newProgram(open, s.task, s.log)
	}
	if s.task.Record {
		s.recorder = &recorder{fd: fds[0], log: s.log}
	}
	return err
}

// confine gives up what a session does not need. The rights of the broker stay:
// whoever reaches the engine has them anyway.
func confine() {
	sys.CloseOnExecFrom(3)
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: maxFiles, Max: maxFiles})
	// The end of the front's terminal, and of who reads the log, are not ours.
	signal.Ignore(unix.SIGHUP, unix.SIGPIPE, unix.SIGINT, unix.SIGQUIT)
}

// leave tells the front why there is no session, and ends what was begun of it.
func (s *session) leave(err error) {
	defer s.up.hangUp()
	if errors.Is(err, agentclient.ErrSilent) {
		_ = s.front.Close() // it asks the broker
		return
	}
	e := usererr.For(engine.Explain(err, "the session cannot be started in the container"))
	s.log.Warn("refused", "told", e.Text, "cause", e.Cause)
	s.front.Within(time.Second)
	_ = s.front.Send(wire.NewError(e))
}
