package front_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

const (
	badAgent  = "dockersh: error: the container does not answer as it should\nhint: " + usererr.RestartNamed + "\n"
	lostAgent = "dockersh: error: killed by root ?[2J\nhint: try again, or " + usererr.ReadLog + "\n"
)

// answered starts the program up to its Start, with or without a terminal.
func answered(t *testing.T, onTerminal bool, env ...string) (s *session, screen *output) {
	t.Helper()
	h := how{argv: []string{"dockersh", "-c", "id"}, env: env}
	if onTerminal {
		master, slave := terminal(t)
		screen = collect(master)
		h.stdin, h.stdout = slave, slave
	}
	s = begin(t, h, &wire.Ready{SSHAgent: true})
	if s.start.Terminal != onTerminal {
		t.Fatalf("%+v", s.start)
	}
	return s, screen
}

// An agent is a program of whoever is in the container.
func TestUnexpectedAnswersOfAnAgentAreErrors(t *testing.T) {
	t.Parallel()
	file := int(open(t, "/etc/passwd", os.O_RDONLY).Fd())
	master, slave, err := tty.Open()
	must(t, err)
	defer closeAll([]int{master, slave})
	r, _ := pipe(t)
	output := int(r.Fd())
	send := func(m wire.Message, fds ...int) func(a agent) {
		return func(a agent) { a.send(m, fds...) }
	}
	raw := func(p string, fds ...int) func(a agent) {
		return func(a agent) { a.raw([]byte(p), fds...) }
	}
	started := string([]byte{byte(wire.KindStarted)})
	for what, c := range map[string]struct {
		terminal bool
		answer   func(a agent)
		want     string
	}{
		"a file for a master":           {true, send(&wire.Started{Terminal: true}, file), badAgent},
		"a slave for a master":          {true, send(&wire.Started{Terminal: true}, slave), badAgent},
		"no terminal":                   {true, send(&wire.Started{}), badAgent},
		"no master":                     {true, raw(started+"\x01\x00\x00\x00\x00", nil...), badAgent},
		"two masters":                   {true, raw(started+"\x01\x00\x00\x00\x00", master, master), badAgent},
		"a file for a pipe":             {true, send(&wire.Started{Terminal: true, Piped: true}, master, file), badAgent},
		"no pipe":                       {true, raw(started+"\x01\x00\x00\x00\x00\x00\x00\x01", master), badAgent},
		"a pipe that is not announced":  {true, raw(started+"\x01\x00\x00\x00\x00", master, output), badAgent},
		"a pipe without a terminal":     {false, send(&wire.Started{Piped: true}, output), badAgent},
		"three flags that are not set":  {true, raw(started+"\x01\x00\x00\x00\x00\x00\x00\x00", master), badAgent},
		"an unwanted ssh agent":         {false, send(&wire.Started{SSHAgent: true}, slave), badAgent},
		"an unwanted terminal":          {false, send(&wire.Started{Terminal: true}, master), badAgent},
		"a message out of order":        {false, send(&wire.Exit{}), badAgent},
		"another hello":                 {false, send(&wire.Hello{Version: wire.AgentVersion}), badAgent},
		"a message of a broker":         {true, send(&wire.Progress{Text: "x"}), badAgent},
		"bytes that are not a message":  {false, raw("\xff"), badAgent},
		"a message cut off":             {false, raw(started + "\x00\x01"), badAgent},
		"flags that are not set":        {false, raw(started + "\x00\x00\x00\x00\x00\x00\x00"), badAgent},
		"one flag of two":               {false, raw(started + "\x00\x00\x00\x00\x00\x01"), badAgent},
		"a packet that is too large":    {true, raw(strings.Repeat("\x0b", wire.MaxPacket+1)), badAgent},
		"more descriptors than any":     {true, raw(started, master, master, master, master, master, file, file), badAgent},
		"the end":                       {false, func(a agent) { _ = a.Close() }, lostAgent},
		"the end, with a terminal":      {true, func(a agent) { _ = a.Close() }, lostAgent},
		"a packet without bytes":        {false, raw(""), lostAgent},
		"a refusal":                     {false, send(&wire.Error{Code: uint8(usererr.Busy), Text: "no \x1b[2J", Hint: "ask\n"}), "dockersh: error: no ?[2J\nhint: ask?\n"},
		"a refusal, with a terminal":    {true, send(&wire.Error{Text: "no"}), "dockersh: error: no\n"},
		"a refusal with a descriptor":   {true, raw(string([]byte{byte(wire.KindError), 0, 0, 0, 0, 0, 0, 0, 0, 0}), file), badAgent},
		"an end with what it would say": {true, func(a agent) { a.send(&wire.Exit{Status: 7 << 8}); _ = a.Close() }, badAgent},
	} {
		s, screen := answered(t, c.terminal)
		for _, file := range s.stdio {
			_ = file.Close()
		}
		c.answer(s.agent)
		if c.want == lostAgent {
			expect[*wire.Why](s.broker)
			s.broker.send(&wire.Reason{Text: "killed by root \x1b[2J"})
		}
		s.exits(255)
		if got := s.errors.whole(t); got != c.want {
			t.Errorf("%s: %q", what, got)
		}
		s.broker.expectEnd() // no session that has ended is reported
		if screen != nil && screen.soFar() != "" {
			t.Errorf("%s: %q on the terminal", what, screen.soFar())
		}
	}
}

func TestNothingIsSentToAnAgentThatHasNotGreeted(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		greeting []byte
		fds      int
		want     string
	}{
		"version 0":               {[]byte{byte(wire.KindHello), 0, 0}, 0, "dockersh: error: the container runs another version of dockersh\nhint: " + usererr.RestartNamed + "\n"},
		"a later version":         {[]byte{byte(wire.KindHello), wire.AgentVersion + 1, 0}, 0, "dockersh: error: the container runs another version of dockersh\nhint: " + usererr.RestartNamed + "\n"},
		"version 256":             {[]byte{byte(wire.KindHello), 0, 1}, 0, "dockersh: error: the container runs another version of dockersh\nhint: " + usererr.RestartNamed + "\n"},
		"a hello with more":       {[]byte{byte(wire.KindHello), 1, 0, 0}, 0, badAgent},
		"half a hello":            {[]byte{byte(wire.KindHello), 1}, 0, badAgent},
		"a hello with descriptor": {[]byte{byte(wire.KindHello), 1, 0}, 1, badAgent},
		"another message":         {[]byte{byte(wire.KindExit), 0, 0, 0, 0, 0}, 0, badAgent},
		"a refusal":               {[]byte{byte(wire.KindError), 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, badAgent},
		"the end":                 {nil, 0, lostAgent},
	} {
		b := newBroker(t)
		f := b.run(how{})
		c1 := b.accept()
		expect[*wire.Login](c1)
		a := c1.ready(&wire.Ready{Shell: "/bin/ash"})
		if c.greeting == nil {
			_ = a.Close()
			expect[*wire.Why](c1)
			c1.send(&wire.Reason{Text: "killed by root \x1b[2J"})
		} else {
			a.raw(c.greeting, []int{0}[:c.fds]...)
		}
		f.exits(255)
		if got := f.errors.whole(t); got != c.want {
			t.Errorf("%s: %q", what, got)
		}
		if c.greeting != nil {
			a.expectEnd()
		}
	}
}

func TestBrokerThatIsGoneCannotExplainALostAgent(t *testing.T) {
	t.Parallel()
	for what, answer := range map[string]func(p peer){
		"it is gone":          func(p peer) { _ = p.Close() },
		"it ends":             func(p peer) { expect[*wire.Why](p); _ = p.Close() },
		"another message":     func(p peer) { expect[*wire.Why](p); p.send(&wire.Progress{Text: "x"}) },
		"not a message":       func(p peer) { expect[*wire.Why](p); p.raw([]byte{255}) },
		"with a descriptor":   func(p peer) { expect[*wire.Why](p); p.raw([]byte{byte(wire.KindReason), 0, 0, 0, 0}, 0) },
		"a reason cut off":    func(p peer) { expect[*wire.Why](p); p.raw([]byte{byte(wire.KindReason), 1, 0, 0, 0}) },
		"a packet of nothing": func(p peer) { expect[*wire.Why](p); p.raw(nil) },
	} {
		for _, runs := range []bool{false, true} {
			s, _ := answered(t, false)
			if runs {
				s.started(&wire.Started{})
			}
			s.closeStdio()
			if what == "it is gone" {
				_ = s.broker.Close()
			}
			_ = s.agent.Close()
			if what != "it is gone" {
				answer(s.broker)
			}
			want := "dockersh: error: the container ended\n"
			if runs {
				s.diesBy(unix.SIGKILL)
			} else {
				want += "hint: try again, or " + usererr.ReadLog + "\n"
				s.exits(255)
			}
			if got := s.errors.whole(t); got != want {
				t.Errorf("%s, %v: %q", what, runs, got)
			}
		}
	}
}

func TestLostSessionIsExplainedByTheBroker(t *testing.T) {
	t.Parallel()
	for what, lose := range map[string]func(a agent){
		"the end":               func(a agent) { _ = a.Close() },
		"another message":       func(a agent) { a.send(&wire.Started{}) },
		"bytes":                 func(a agent) { a.raw([]byte{255, 1}) },
		"an end cut off":        func(a agent) { a.raw([]byte{byte(wire.KindExit), 0, 0}) },
		"an end with a pipe":    func(a agent) { a.raw([]byte{byte(wire.KindExit), 0, 0, 0, 0, 0}, 0) },
		"a flag that is none":   func(a agent) { a.raw([]byte{byte(wire.KindExit), 0, 0, 0, 0, 2}) },
		"a packet of nothing":   func(a agent) { a.raw(nil) },
		"too many descriptors":  func(a agent) { a.raw([]byte{byte(wire.KindExit)}, 0, 0, 0, 0, 0, 0, 0, 0) },
		"more than a packet is": func(a agent) { a.raw([]byte(strings.Repeat("x", wire.MaxPacket+1))) },
	} {
		s, _ := answered(t, false)
		s.started(&wire.Started{})
		s.closeStdio()
		lose(s.agent)
		expect[*wire.Why](s.broker)
		s.broker.send(&wire.Reason{Text: "the image \x1b was removed\n"})
		s.diesBy(unix.SIGKILL)
		if got := s.errors.whole(t); got != "dockersh: error: the image ? was removed?\n" {
			t.Errorf("%s: %q", what, got)
		}
		s.broker.expectEnd()
	}
}

func TestExitArrivesAlthoughASignalWasNotRead(t *testing.T) {
	t.Parallel()
	s := handlingSignals(t, how{})
	s.signal(unix.SIGINT)
	until(t, "the signal was sent", func() bool { return s.agent.hasPacket() })
	s.closeStdio()
	s.agent.send(&wire.Exit{Status: 7 << 8})
	_ = s.agent.Close()
	if e := expect[*wire.Ended](s.broker); e.Status != 7<<8 {
		t.Errorf("%#x", e.Status)
	}
	s.exits(7)
}
