package front_test

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// handlingSignals returns a session of a command that handles signals.
func handlingSignals(t *testing.T, h how) *session {
	t.Helper()
	s := begin(t, h, &wire.Ready{})
	if s.start.Terminal {
		t.Fatal("it is a session with a terminal")
	}
	s.started(&wire.Started{})
	until(t, "it handles signals", func() bool { return s.catches(unix.SIGUSR2) }) // the last
	s.signal(unix.SIGINT)
	s.expectSignal(unix.SIGINT)
	return s
}

// expectSignal waits for a signal that is for the session.
func (s *session) expectSignal(sig unix.Signal) {
	s.t.Helper()
	if got := expect[*wire.Signal](s.agent.peer); got.Number != uint8(sig) {
		s.t.Errorf("signal %d instead of %v", got.Number, sig)
	}
}

// hasPacket reports whether the program has sent something that is not read yet.
func (p peer) hasPacket() bool {
	c, ok := p.Socket.(*seqpacket.Conn)
	if !ok {
		p.t.Fatalf("%T", p.Socket)
	}
	ready := []unix.PollFd{{Fd: int32(c.Fd()), Events: unix.POLLIN}}
	n, err := sys.Poll(ready, 0)
	return err == nil && n == 1
}

func TestSignalsOfACommandReachTheSession(t *testing.T) {
	t.Parallel()
	s := handlingSignals(t, how{argv: []string{"dockersh", "-c", "sleep"}})
	for _, sig := range []unix.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGINT} {
		s.signal(sig)
		s.expectSignal(sig)
	}
	s.ends(&wire.Exit{Status: 3 << 8})
	s.exits(3)
}

func TestCommandIsHungUpByASignalThatEndsTheProgram(t *testing.T) {
	t.Parallel()
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGHUP} {
		s := handlingSignals(t, how{})
		s.signal(sig)
		s.expectSignal(sig)
		if e := expect[*wire.Ended](s.broker); e.Status != uint32(sig) {
			t.Errorf("%v is reported as %#x", sig, e.Status)
		}
		s.agent.expectEnd()
		s.broker.expectEnd()
		s.diesBy(sig)
	}
}

// A broker may have gone long before.
func TestEndIsReportedToABrokerThatIsThere(t *testing.T) {
	t.Parallel()
	s := handlingSignals(t, how{})
	_ = s.broker.Close()
	s.signal(unix.SIGTERM)
	s.expectSignal(unix.SIGTERM)
	s.diesBy(unix.SIGTERM)
	s = begin(t, how{}, &wire.Ready{})
	s.started(&wire.Started{})
	_ = s.broker.Close()
	s.closeStdio()
	s.agent.send(&wire.Exit{Status: 5 << 8})
	s.exits(5)
}

func TestSignalThatIsNotForTheSessionEndsTheProgram(t *testing.T) {
	t.Parallel()
	s := handlingSignals(t, how{})
	s.signal(unix.SIGKILL)
	s.agent.expectEnd()
	s.broker.expectEnd()
	s.diesBy(unix.SIGKILL)
}

func TestSignalEndsALogin(t *testing.T) {
	t.Parallel()
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGHUP, unix.SIGINT, unix.SIGKILL} {
		b := newBroker(t)
		f := b.run(how{})
		c := b.accept()
		expect[*wire.Login](c)
		f.signal(sig)
		c.expectEnd()
		f.diesBy(sig)
	}
}

func TestProgramMayBeStoppedAndContinued(t *testing.T) {
	t.Parallel()
	s := handlingSignals(t, how{})
	s.signal(unix.SIGSTOP)
	s.signal(unix.SIGINT)
	s.signal(unix.SIGCONT)
	s.expectSignal(unix.SIGINT)
	s.ends(&wire.Exit{})
	s.exits(0)
}

// child returns a session whose program is the child of a shell, which ends when endShell is called.
func child(t *testing.T, env ...string) (s *session, endShell func()) {
	t.Helper()
	r, w := pipe(t)
	s = begin(t, how{argv: []string{"dockersh", "-c", "sleep"}, env: env, extra: r, via: `"$@" 3<&- & read x <&3; exit 0`}, &wire.Ready{})
	_ = r.Close()
	s.started(&wire.Started{})
	peer, err := s.broker.Socket.(*seqpacket.Conn).Peer()
	must(t, err)
	if int(peer.Pid) == s.pid {
		t.Fatal("the shell is the program")
	}
	// What is left of it must not outlive the test.
	t.Cleanup(func() { _, _ = s.agent.Close(), s.broker.Close(); gone(t, int(peer.Pid)) })
	return s, func() {
		_ = w.Close()
		s.exits(0) // the shell
	}
}

// gone waits for the end of a process that is not a child of the test.
func gone(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if n, err := sys.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(limit.Milliseconds())); n != 1 {
		t.Errorf("process %s goes on: %v", strconv.Itoa(pid), err)
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

func TestSessionOfSSHDEndsWithIt(t *testing.T) {
	t.Parallel()
	s, endShell := child(t, "SSH_CONNECTION=x")
	endShell()
	if e := expect[*wire.Ended](s.broker); e.Status != uint32(unix.SIGHUP) {
		t.Errorf("%#x", e.Status)
	}
	s.agent.expectEnd()
	s.broker.expectEnd()
}

// A login may take long, and its connection may be gone before the session starts.
func TestSessionOfSSHDThatIsGoneEndsAtOnce(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	r, w := pipe(t)
	f := b.run(how{argv: []string{"dockersh", "-c", "sleep"}, env: []string{"SSH_CONNECTION=x"}, extra: r, via: `"$@" 3<&- & read x <&3; exit 0`})
	s := &session{front: f, broker: b.accept()}
	s.login = expect[*wire.Login](s.broker)
	_ = w.Close()
	f.exits(0) // the shell
	s.greet(&wire.Ready{})
	s.started(&wire.Started{})
	if e := expect[*wire.Ended](s.broker); e.Status != uint32(unix.SIGHUP) {
		t.Errorf("%#x", e.Status)
	}
	s.agent.expectEnd()
	s.broker.expectEnd()
}

// A shell without a terminal leaves ignored what its caller ignores (nohup, and & in scripts).
func TestSignalsThatTheCallerIgnoresStayIgnored(t *testing.T) {
	t.Parallel()
	s := begin(t, how{via: `trap "" HUP INT; exec "$@"`}, &wire.Ready{})
	s.started(&wire.Started{})
	until(t, "it handles signals", func() bool { return s.catches(unix.SIGUSR2) })
	s.signal(unix.SIGHUP)
	s.signal(unix.SIGINT)
	s.signal(unix.SIGUSR1)
	s.expectSignal(unix.SIGUSR1)
	s.ends(&wire.Exit{})
	s.exits(0)
}

func TestOtherSessionsOutliveTheParent(t *testing.T) {
	t.Parallel()
	s, endShell := child(t)
	endShell()
	s.ends(&wire.Exit{Status: 7 << 8})
	s.broker.expectEnd()
}
