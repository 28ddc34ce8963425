package front_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

const (
	noAnswer = "dockersh: error: the dockersh service does not answer\nhint: ask the administrator to run: systemctl start dockershd\n"
	versions = "dockersh: error: dockersh and its service are of different versions\nhint: ask the administrator to run: systemctl restart dockershd\n"
)

func TestRefusalIsShownWithItsHint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m    wire.Error
		want string
	}{
		{wire.Error{Code: uint8(usererr.Denied), Text: "the settings do not allow it"}, "dockersh: error: the settings do not allow it\n"},
		{wire.Error{Code: uint8(usererr.Busy), Text: "busy", Hint: "try again"}, "dockersh: error: busy\nhint: try again\n"},
		{wire.Error{Code: 255}, "dockersh: error: \n"},
		{wire.Error{Text: "no \x1b[2J\u202e\xff\n\u00e9\u200d", Hint: "\a\u009b\u2028x\ue000\U000e0001\ufeff\ufffd\u061c"}, "dockersh: error: no ?[2J???\u00e9\u200d\nhint: ???x\ue000????\n"},
		{wire.Error{Text: "\x7f\u0080\u009f\u00a0\u061b\u200b\u200c\u200e\u200f\u202a\u2060\u2066\u206f\u2070"}, "dockersh: error: ???\u00a0\u061b?\u200c??????\u2070\n"},
		{wire.Error{Text: "\xc3\xed\xa0\x80\xf4\x90\x80\x80\xc0\x80\xe2\x80"}, "dockersh: error: " + strings.Repeat("?", 12) + "\n"},
		{wire.Error{Text: strings.Repeat("x", printable.MaxLine)}, "dockersh: error: " + strings.Repeat("x", printable.MaxLine) + "\n"},
	} {
		b := newBroker(t)
		f := b.run(how{})
		p := b.accept()
		expect[*wire.Login](p)
		p.send(&c.m)
		f.refuses(c.want)
		p.expectEnd()
	}
}

func TestBrokerThatEndsBeforeItsAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	f := b.run(how{argv: []string{"dockersh", "-c", "id"}})
	for i := range 3 {
		c := b.accept()
		if i > 0 {
			if got := expect[*wire.Login](c); string(got.Words) != "id" {
				t.Errorf("%+v", got)
			}
			c.send(&wire.Progress{Text: "pulling"})
		}
		_ = c.Close()
	}
	s := &session{front: f, broker: b.accept()}
	s.login = expect[*wire.Login](s.broker)
	s.greet(&wire.Ready{})
	s.finish()
	if got := f.errors.whole(t); got != "" {
		t.Errorf("%q", got)
	}
}

// A service may restart while it waits for the file of another home.
func TestRequestIsTheSameAfterAFileWasRead(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	f := b.run(how{argv: []string{"dockersh", "-c", "id"}})
	c := b.accept()
	first := expect[*wire.Login](c)
	c.send(&wire.ReadFile{Dir: "/nonexistent"})
	expect[*wire.UserFile](c)
	_ = c.Close()
	s := &session{front: f, broker: b.accept()}
	if again := expect[*wire.Login](s.broker); !reflect.DeepEqual(again, first) {
		t.Errorf("%+v, and before %+v", again, first)
	}
	s.greet(&wire.Ready{})
	s.finish()
}

// A service may restart after it has worked on a container for longer than a restart takes.
func TestRestartIsAwaitedLateInALoginToo(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	f := b.run(how{argv: []string{"dockersh", "-c", "id"}})
	c := b.accept()
	expect[*wire.Login](c)
	<-time.After(6 * time.Second)
	_ = b.l.Close()
	_ = c.Close()
	b.listen()
	s := &session{front: f, broker: b.accept()}
	expect[*wire.Login](s.broker)
	s.greet(&wire.Ready{})
	s.finish()
}

func TestBrokerThatBreaksTheProtocolIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	file := open(t, "/etc/passwd", os.O_RDONLY)
	three := []int{int(file.Fd()), int(file.Fd()), int(file.Fd())}
	encoded := func(m wire.Message) []byte {
		p, err := wire.Encode(m)
		must(t, err)
		return p
	}
	for what, c := range map[string]struct {
		packet []byte
		fds    []int
		want   string
	}{
		"an unknown message":         {[]byte{255}, nil, versions},
		"a number that is none":      {[]byte{0}, nil, versions},
		"a packet cut off":           {encoded(&wire.Error{Text: "x"})[:5], nil, versions},
		"a byte too much":            {append(encoded(&wire.Progress{}), 0), nil, versions},
		"a length that is a lie":     {[]byte{byte(wire.KindProgress), 255, 255, 255, 255}, nil, versions},
		"a list that is a lie":       {append(encoded(&wire.Ready{})[:13], 255, 255, 255, 63), nil, versions},
		"a NUL in a text":            {encoded(&wire.Progress{Text: "a\x00b"}), nil, versions},
		"a flag that is none":        {append(encoded(&wire.Ready{})[:26], 2), three[:1], versions},
		"no agent":                   {encoded(&wire.Ready{}), nil, versions},
		"two agents":                 {encoded(&wire.Ready{}), three[:2], versions},
		"three agents":               {encoded(&wire.Ready{}), three, versions},
		"more agents than fit":       {encoded(&wire.Ready{}), append(three, three...), versions},
		"a descriptor too many":      {encoded(&wire.Error{Text: "x"}), three[:1], versions},
		"the largest packet":         {make([]byte, wire.MaxPacket), nil, versions},
		"a larger packet":            {append(encoded(&wire.Progress{Text: strings.Repeat("x", wire.MaxPacket-5)}), 'x'), nil, versions},
		"a reason that is not asked": {encoded(&wire.Reason{Text: "x"}), nil, versions},
		"a message of an agent":      {encoded(&wire.Exit{}), nil, versions},
		"our own message":            {encoded(&wire.Login{Version: wire.Version}), nil, versions},
		"a login of a later version": {encoded(&wire.Login{Version: wire.Version + 1}), nil, versions},
		"a terminal's master":        {encoded(&wire.Started{Terminal: true}), three[:1], versions},
		"an agent that is a file":    {encoded(&wire.Ready{Shell: "/bin/sh"}), three[:1], "dockersh: error: the container does not answer as it should\nhint: " + usererr.RestartNamed + "\n"},
	} {
		b := newBroker(t)
		f := b.run(how{})
		p := b.accept()
		expect[*wire.Login](p)
		p.raw(c.packet, c.fds...)
		f.exits(255)
		if got := f.errors.whole(t); got != c.want {
			t.Errorf("%s: %q", what, got)
		}
		_ = b.l.SetDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := b.l.Accept(); err == nil {
			t.Errorf("%s: it is asked again", what)
		}
	}
}

func TestNoticesAreShownBeforeTheSession(t *testing.T) {
	t.Parallel()
	s := begin(t, how{argv: []string{"dockersh", "-c", "id"}}, &wire.Ready{Notice: []string{"the image is old", "\x1b[31mred", ""}})
	const want = "the image is old\n?[31mred\n\n"
	until(t, "the notices are shown", func() bool { return s.errors.soFar() == want })
	s.started(&wire.Started{Notice: "there is no /srv\a"})
	s.ends(&wire.Exit{})
	s.exits(0)
	if got := s.errors.whole(t); got != want+"dockersh: there is no /srv?\n" {
		t.Errorf("%q", got)
	}
}

func TestProgressIsShownOnATerminalAfterAWhile(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	master, slave := terminal(t)
	_ = master.SetDeadline(time.Time{})
	shown := collect(master)
	watched := b.run(how{stderr: slave})
	c := b.accept()
	unwatched := b.run(how{})
	d := b.accept()
	for _, p := range []peer{c, d} {
		expect[*wire.Login](p)
	}
	began := time.Now()
	first := true
	until(t, "a line is shown", func() bool {
		for _, p := range []peer{c, d} {
			if first {
				p.send(&wire.Progress{})
				p.send(&wire.Progress{Text: "pulling \x1b[2Jx"})
			}
			p.send(&wire.Progress{})
		}
		first = false
		return shown.soFar() != ""
	})
	if d := time.Since(began); d < 500*time.Millisecond {
		t.Errorf("it is shown after %v", d)
	}
	for _, p := range []peer{c, d} {
		p.send(&wire.Progress{Text: "starting"})
		p.send(&wire.Error{Text: "no"})
	}
	watched.exits(255)
	_ = slave.Close()
	lines := strings.SplitAfter(shown.whole(t), "\r\x1b[K")
	for i, want := range map[int]string{0: "\r\x1b[K", 1: "pulling ?[2Jx\r\x1b[K", len(lines) - 2: "starting\r\x1b[K", len(lines) - 1: "dockersh: error: no\r\n"} {
		if lines[i] != want {
			t.Errorf("line %d of %q is not %q", i, lines, want)
		}
	}
	unwatched.refuses("dockersh: error: no\n")
}

func TestLoginThatIsFastShowsNoProgress(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	master, slave := terminal(t)
	f := b.run(how{stderr: slave})
	c := b.accept()
	expect[*wire.Login](c)
	c.send(&wire.Progress{Text: "pulling"})
	c.send(&wire.Error{Text: "no"})
	f.exits(255)
	_ = slave.Close()
	if got := collect(master).whole(t); got != "dockersh: error: no\r\n" {
		t.Errorf("%q", got)
	}
}
