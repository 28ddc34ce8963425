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
	"github.com/dockersh/dockersh/internal/proto/environ"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/user/forward"
)

// startLimit is how long an agent may take to start a session.
const startLimit = 15 * time.Second

// session is a session that runs in the container.
type session struct {
	broker         channel.Conn
	agent          agentclient.Conn
	master         int            // of the session's pty; -1 without a terminal
	size           *tty.SizeRelay // to that pty; nil without a terminal
	restore        func()         // restores the user's terminal
	relays         []*relay
	handlesSignals bool
	endReported    sync.Once
	sshAgent       sshAgent
	x11            bool   // sshd forwards a display
	parent         int    // pidfd of sshd; -1 for none
	missing        string // line for the user if the session's program is not found; may be empty
}

// startSession starts the session that the broker granted.
func startSession(a *answer, r request, env []string, terminal bool) (*session, error) {
	for _, line := range a.ready.Notice {
		printLine(printable.Text(line))
	}
	s := &session{
		broker: a.broker, agent: a.agent, master: -1, restore: func() {}, parent: openSSHD(env),
		sshAgent: sshAgent{listener: -1}, x11: forwardsX11(env),
	}
	m := &wire.Start{
		Terminal: terminal, Path: a.ready.Shell, Argv: r.argv(a.ready.Shell),
		Env: r.env(env, a.ready.Accept, a.ready.Shell), Cwd: a.ready.Cwd, Inherited: inherited(), Fallback: a.ready.Fallback,
	}
	if a.ready.SSHAgent || isInteractive(m) {
		s.sshAgent.path = forward.SSHAgent(env, unix.Geteuid())
	}
	m.SSHAgent = s.sshAgent.path != "" && a.ready.SSHAgent
	if s.x11 && a.ready.X11 {
		m.Display, m.Cookies = display(env)
	}
	var err error
	if terminal {
		err = s.startTerminal(m)
	} else {
		s.missing = whenNotFound(m.Argv, a.ready.Container)
		err = s.startPlain(m)
	}
	if err != nil {
		s.restore()
		return nil, err
	}
	return s, nil
}

// startTerminal starts a session on a pty of the container, and puts the user's terminal
// into raw mode.
func (s *session) startTerminal(m *wire.Start) error {
	modes, err := tty.Get(0)
	if err != nil {
		return err
	}
	m.Termios = modes.Bytes()
	m.Rows, m.Cols, _ = tty.Size(0) // 0 and 0 for a terminal that has no size
	if s.master, err = s.start(m); err != nil {
		return err
	}
	s.restore = func() { _ = modes.Restore(0) }
	s.size = tty.RelaySize(0, m.Rows, m.Cols, func(rows, cols uint16) {
		_ = tty.SetSize(s.master, rows, cols) // fails if the session has ended
	})
	s.handleSignals()
	s.size.Update() // it may have changed before that
	if err := modes.Raw(0); err != nil {
		return err
	}
	s.relays = []*relay{
		{from: reopen(0, unix.O_RDONLY), to: s.master, input: true, received: s.size.Update},
		{from: s.master, to: reopen(1, unix.O_WRONLY)},
	}
	return nil
}

// startPlain starts a session without a terminal. It hands over stdin, stdout and stderr
// themselves if they are pipes or sockets, and copies anything else.
func (s *session) startPlain(m *wire.Start) error {
	pass := make([]int, 3)
	var ends []int // of our pipes, for the session
	defer func() { seqpacket.CloseAll(ends) }()
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
		// Only our end: the session's must block, as every program expects.
		_ = unix.SetNonblock(ours, true)
		ends = append(ends, end)
		pass[fd] = end
		s.relays = append(s.relays, r)
	}
	for _, fd := range pass {
		letReopen(fd)
	}
	_, err := s.start(m, pass...)
	return err
}

// letReopen lets the session open a pipe of ours again, as `echo x >/dev/stderr` does: in
// the container it may be another user, with another number. That gives nobody else
// anything: an anonymous pipe is reached by the descriptors of processes that have it
// alone, and those only by who may trace them (proc_pid_fd(5)). A pipe of another user's
// stays as it is; under bash it cannot be opened either.
func letReopen(fd int) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO {
		_ = unix.Fchmod(fd, 0o666)
	}
}

// start starts the session, and returns the master of its terminal, if any.
func (s *session) start(m *wire.Start, stdio ...int) (master int, err error) {
	lift := s.agent.Within(startLimit)
	started, err := startAtAgent(s.agent, m, stdio)
	if errors.Is(err, agentclient.ErrSilent) {
		err = usererr.New(usererr.Container, askWhy(s.broker), "try again, or "+usererr.ReadLog, err)
	}
	if err != nil {
		return -1, err
	}
	if started.Notice != "" {
		printLine("dockersh: " + started.Notice)
	}
	s.sshAgent.listener = started.SSHAgent
	if isInteractive(m) {
		s.printWhatIsNotForwarded(started)
	}
	lift()
	return started.Master, nil
}

// startAtAgent starts a session at an agent. Nothing is sent to an agent before it has shown
// that it runs: stdout in the queue of a frozen one would keep sshd waiting for its end.
func startAtAgent(agent agentclient.Conn, m *wire.Start, stdio []int) (agentclient.Started, error) {
	hello, err := agent.Hello()
	if err != nil {
		return agentclient.Started{}, err
	}
	if !wire.Speaks(hello.Version) {
		return agentclient.Started{}, usererr.New(usererr.Protocol, "the container runs another version of dockersh",
			usererr.RestartNamed, nil)
	}
	m.KeepKnownTo(hello.Version)
	return agent.Start(m, stdio...)
}

// wait carries the session to its end.
func (s *session) wait() (code int, sig unix.Signal, err error) {
	end, cause := s.copyUntilEnd()
	s.restore()
	switch cause {
	case ended:
		s.reportEnd(end.Status)
		code, sig = exitstatus.Split(end.Status)
		if end.OutOfMemory && (sig == unix.SIGKILL || exitstatus.IsKill(code)) {
			printLine("dockersh: error: killed: the container ran out of memory")
		}
		if code == notFound && s.missing != "" {
			printLine(s.missing)
		}
		return code, sig, nil
	case hungUp:
		s.reportEnd(exitstatus.OfSignal(unix.SIGHUP))
		return 0, unix.SIGHUP, nil
	}
	printLine("dockersh: error: " + askWhy(s.broker))
	return 0, unix.SIGKILL, nil
}

// reportEnd sends the end of the session to the broker once, for its log. It does not
// wait: the broker has read everything before, so there is room in the socket.
func (s *session) reportEnd(status uint32) {
	s.endReported.Do(func() { _ = s.broker.Send(&wire.Ended{Status: status}) })
}

// openSSHD returns a pidfd of the sshd process that started us, so that a session without
// a terminal ends with its connection too. Any other parent may end before us, as with
// any shell: -1.
func openSSHD(env []string) int {
	if environ.Get(env, "SSH_CONNECTION") == "" {
		return -1
	}
	fd, err := sys.Pidfd(os.Getppid())
	if err != nil {
		return -1
	}
	return fd
}

// reopen opens the terminal of fd 0 or 1 again, so that it is non-blocking for us alone:
// the open file is shared with the process that started us. Opening fails for a terminal
// of another user (su); then the shared one must do.
func reopen(fd, mode int) int {
	path := [...]string{"/proc/self/fd/0", "/proc/self/fd/1"}[fd]
	n, err := unix.Open(path, mode|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fd
	}
	return n
}
