package front_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// hang is a program that waits for a peer in vain.
type hang struct {
	what   string
	f      *front
	broker peer // that knows what became of the agent; none where the broker itself is silent
	least  time.Duration
	runs   bool // the session runs
}

// All wait at the same time, so that the test takes no longer than the longest.
func TestEveryWaitHasALimit(t *testing.T) {
	t.Parallel()
	var all []hang
	add := func(what string, least time.Duration, b *broker, h how) {
		all = append(all, hang{what: what, f: b.run(h), least: least})
	}
	const restart, reason, start = 5 * time.Second, 10 * time.Second, 15 * time.Second

	left := noBroker(t)
	must(t, bind(left.socket()))
	add("a socket at which nobody listens", restart, left, how{})
	full := noBroker(t)
	listener, err := seqpacket.Bind(full.socket(), 0o666, 0)
	must(t, err)
	defer unix.Close(listener)
	for err == nil {
		var fd int
		if fd, err = seqpacket.Connect(full.socket()); err == nil {
			defer unix.Close(fd)
		}
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	add("a full queue", restart, full, how{})
	if os.Geteuid() == 0 {
		add("a service that does not come back", restart, withLock(t), how{uid: nobody})
	}

	runs := begin(t, how{}, &wire.Ready{})
	runs.started(&wire.Started{})
	s := begin(t, how{}, &wire.Ready{})
	s.started(&wire.Started{})
	s.closeStdio()
	_ = s.agent.Close()
	all = append(all, hang{"a reason", s.front, s.broker, reason, true})
	b := newBroker(t)
	f := b.run(how{})
	c := b.accept()
	expect[*wire.Login](c)
	frozen := c.ready(&wire.Ready{Shell: "/bin/ash"})
	all = append(all, hang{"an agent that does not greet", f, c, start, false})
	s = begin(t, how{}, &wire.Ready{})
	s.closeStdio()
	all = append(all, hang{"an agent that starts nothing", s.front, s.broker, start, false})

	for _, h := range all {
		switch {
		case h.broker.t == nil:
			h.f.refuses(noAnswer)
		case h.runs:
			expect[*wire.Why](h.broker)
			h.f.diesBy(unix.SIGKILL)
		default:
			expect[*wire.Why](h.broker)
			h.broker.send(&wire.Reason{Text: "frozen"})
			h.f.refuses("dockersh: error: frozen\nhint: try again, or " + usererr.ReadLog + "\n")
		}
		if h.f.took < h.least {
			t.Errorf("%s: it waited for %v alone", h.what, h.f.took)
		}
	}
	frozen.expectEnd()                    // and nothing was sent to it
	runs.ends(&wire.Exit{Status: 6 << 8}) // a session that runs has no limit
	runs.exits(6)
}

func TestBrokerThatAlwaysEndsIsNotAskedForEver(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	f := b.run(how{})
	go func() {
		<-f.ended
		_ = b.l.Close()
	}()
	asked := 0
	for {
		c, err := b.tryAccept()
		if err != nil {
			break
		}
		asked++
		_ = c.Close()
	}
	f.refuses(noAnswer)
	if f.took < 5*time.Second || asked < 10 || asked > 300 {
		t.Errorf("it is asked %d times in %v", asked, f.took)
	}
}
