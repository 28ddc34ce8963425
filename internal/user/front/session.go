package front

import (
	"errors"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// startLimit is how long an agent may take to start a session.
const startLimit = 15 * time.Second

// session is a session that runs in the container.
type session struct {
	broker  channel.Conn
	agent   agentclient.Conn
	master  int // of the pty; -1 without a terminal
	restore func()
	relays  []*relay
	heeding bool
	told    sync.Once
	parent  int // pidfd of sshd, -1 for none
}

// begin starts the session that the broker prepared.
func begin(a *answer, r request, environ []string, terminal bool) (*session, error) {
	for _, line := range a.ready.Notice {
		say(printable.Text(line))
	}
	s := &session{broker: a.broker, agent: a.agent, master: -1, restore: func() {}, parent: watchSSHD(environ)}
	m := &wire.Start{
		Terminal: terminal, Path: a.ready.Shell, Argv: r.argv(a.ready.Shell),
		Env: insideEnv(environ, a.ready.Accept, a.ready.Shell), Cwd: a.ready.Cwd,
	}
	var err error
	if terminal {
		err = s.startTerminal(m)
	} else {
		err = s.startPlain(m)
	}
	if err != nil {
		s.restore()
		return nil, err
	}
	return s, nil
}

// startTerminal gives the session a pty of the container's own, and puts ours
// into raw mode.
func (s *session) startTerminal(m *wire.Start) error {
	modes, err := tty.Get(0)
	if err != nil {
		return err
	}
	m.Termios = modes.Bytes()
	m.Rows, m.Cols, _ = tty.Size(0) // without a size: 0x0, as on any terminal that has none
	if s.master, err = s.start(m); err != nil {
		return err
	}
	s.restore = func() { _ = modes.Restore(0) }
	s.heed()
	s.resize() // it may have changed before we listened
	if err := modes.Raw(0); err != nil {
		return err
	}
	s.relays = []*relay{
		{from: own(0, unix.O_RDONLY), to: s.master, input: true},
		{from: s.master, to: own(1, unix.O_WRONLY)},
	}
	return nil
}

// startPlain hands over stdin, stdout and stderr themselves where they are pipes
// or sockets, and copies where they are not.
func (s *session) startPlain(m *wire.Start) error {
	pass := make([]int, 3)
	var theirs []int
	defer func() { seqpacket.CloseAll(theirs) }()
	for fd := range pass {
		if sys.Passable(fd) {
			pass[fd] = fd
			continue
		}
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			return err
		}
		ours, end, r := p[0], p[1], &relay{from: p[0], to: fd, pipe: true}
		if fd == 0 {
			ours, end, r = p[1], p[0], &relay{from: 0, to: p[1], input: true, pipe: true}
		}
		// Our end only: the session's must block, as any program expects.
		_ = unix.SetNonblock(ours, true)
		theirs = append(theirs, end)
		pass[fd] = end
		s.relays = append(s.relays, r)
	}
	_, err := s.start(m, pass...)
	return err
}

// start starts the session, and returns the master of its terminal, if any.
func (s *session) start(m *wire.Start, stdio ...int) (master int, err error) {
	lift := s.agent.Within(startLimit)
	master, notice, err := startAgent(s.agent, m, stdio)
	if errors.Is(err, agentclient.ErrSilent) {
		err = usererr.New(usererr.Container, why(s.broker), "try again, or "+usererr.ReadLog, err)
	}
	if err != nil {
		return -1, err
	}
	if notice != "" {
		say("dockersh: " + notice)
	}
	lift()
	return master, nil
}

// startAgent starts a session at an agent of our own version. Nothing of ours goes
// to an agent before it has shown that it runs: standard output in the queue of a
// frozen one would keep sshd waiting for its end.
func startAgent(agent agentclient.Conn, m *wire.Start, stdio []int) (master int, notice string, err error) {
	hello, err := agent.Hello()
	if err != nil {
		return -1, "", err
	}
	if hello.Version != wire.Version {
		return -1, "", usererr.New(usererr.Protocol, "this container runs another version of dockersh",
			usererr.Restart, nil)
	}
	return agent.Start(m, stdio...)
}

// wait copies what has to be copied until the session ends.
func (s *session) wait() (code int, sig unix.Signal, err error) {
	end, cause := s.pump()
	s.restore()
	switch cause {
	case ended:
		s.tell(end.Status)
		code, sig = exitstatus.Split(end.Status)
		if end.OutOfMemory && (sig == unix.SIGKILL || exitstatus.IsKill(code)) {
			say("dockersh: error: killed: the container ran out of memory")
		}
		return code, sig, nil
	case hungUp:
		s.tell(exitstatus.OfSignal(unix.SIGHUP))
		return 0, unix.SIGHUP, nil
	}
	say("dockersh: error: " + why(s.broker))
	return 0, unix.SIGKILL, nil
}

// tell gives the broker the end of the session for its log, once, and does not wait:
// the broker has read all that we said before, so there is room for it.
func (s *session) tell(status uint32) {
	s.told.Do(func() { _ = s.broker.Send(&wire.Ended{Status: status}) })
}

// watchSSHD gives a pidfd of the sshd process that started us, so that a session
// without a terminal ends with its connection too. Anyone else who starts us may
// go before we do, as with any shell.
func watchSSHD(environ []string) int {
	if get(environ, "SSH_CONNECTION") == "" {
		return -1
	}
	fd, err := sys.Pidfd(os.Getppid())
	if err != nil {
		return -1
	}
	return fd
}

// own reopens a terminal, so that it can be non-blocking for us alone: the open
// file of stdin is shared with whoever started us. Not allowed on a terminal of
// another user (su): then the shared one must do.
func own(fd, mode int) int {
	path := [...]string{"/proc/self/fd/0", "/proc/self/fd/1"}[fd]
	n, err := unix.Open(path, mode|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fd
	}
	return n
}
