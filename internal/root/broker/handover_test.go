package broker

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
)

// withoutEngine is a broker of one session beside the world's.
func (w *world) withoutEngine() *Broker {
	w.Helper()
	c := w.broker.Config
	c.OpenEngine, c.Role = nil, WithoutEngine
	c.AskFate = func(_ context.Context, _ engine.Address, container string) string { return "the fate of " + container }
	b, err := New(c)
	if err != nil {
		w.Fatal(err)
	}
	return b
}

// pair returns a front's end and a broker's.
func (w *world) pair() (front channel.Conn, theirs *seqpacket.Conn) {
	w.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		w.Fatal(err)
	}
	if front, err = channel.New(fds[0]); err != nil {
		w.Fatal(err)
	}
	if theirs, err = seqpacket.New(fds[1]); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _, _ = front.Close(), theirs.Close() })
	front.Within(20 * time.Second)
	return front, theirs
}

// serve serves one login, and returns how that ended.
func serve(b *Broker, c *seqpacket.Conn) <-chan error {
	over := make(chan error, 1)
	go func() { over <- b.ServeOne(c) }()
	return over
}

func (w *world) overWith(over <-chan error, want error) {
	w.Helper()
	select {
	case err := <-over:
		if !errors.Is(err, want) {
			w.Errorf("it ended with %v, not %v", err, want)
		}
	case <-time.After(20 * time.Second):
		w.Fatal("it does not end")
	}
}

// expect receives a message, after progress, with the words in it.
func (w *world) expect(c channel.Conn, kind wire.Kind) wire.Message {
	w.Helper()
	for {
		m, fds, err := c.Recv()
		if err != nil {
			w.Fatal(err)
		}
		seqpacket.CloseAll(fds)
		if m.Kind() == kind {
			return m
		}
		if m.Kind() != wire.KindProgress {
			w.Fatalf("got %#v", m)
		}
	}
}

func TestLoginThatNeedsAnEngineIsHandedOverWhole(t *testing.T) {
	for name, setting := range map[string]string{"cold": "", "ephemeral": "\nephemeral", "idle": "\nidletimeout = 1h", "recreate": "\nonchange = recreate"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.set("[dockersh]\nimagename = busybox\nlinger = 1h" + setting)
			if name != "cold" {
				w.enters().Close() // it runs from now on
				w.eventually("nobody is in", func() bool { return w.broker.sessions.CountUser(w.me.UID) == 0 })
			}
			front, theirs := w.pair()
			if err := front.Send(&wire.Login{Version: wire.Version, Terminal: true}); err != nil {
				t.Fatal(err)
			}
			w.overWith(serve(w.withoutEngine(), theirs), ErrHandOver)
			if n := w.broker.sessions.CountUser(w.me.UID); n != 0 {
				t.Errorf("%d entries are left", n)
			}
			whole, err := New(w.broker.Config)
			if err != nil {
				t.Fatal(err)
			}
			over := serve(whole, theirs)
			w.expect(front, wire.KindReady)
			if n := w.broker.sessions.CountUser(w.me.UID); n != 1 {
				t.Errorf("%d entries", n)
			}
			_ = front.Close()
			whole.cancel() // it would stay for linger
			w.overWith(over, nil)
		})
	}
}

func TestWarmSessionNeedsNoEngine(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nimagename = busybox")
	w.enters()
	asked := w.engine.Calls("Find")
	front, theirs := w.pair()
	if err := front.Send(&wire.Login{Version: wire.Version}); err != nil {
		t.Fatal(err)
	}
	over := serve(w.withoutEngine(), theirs)
	w.expect(front, wire.KindReady)
	if err := front.Send(&wire.Why{}); err != nil {
		t.Fatal(err)
	}
	if m := w.expect(front, wire.KindReason).(*wire.Reason); m.Text != "the fate of "+w.name() {
		t.Errorf("told %q", m.Text)
	}
	if err := front.Send(&wire.Ended{Status: 7 << 8}); err != nil {
		t.Fatal(err)
	}
	_ = front.Close()
	w.overWith(over, nil)
	if n := w.engine.Calls("Find"); n != asked {
		t.Errorf("%d requests", n-asked)
	}
}

func TestRefusedLoginIsNotHandedOver(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nimagenam = busybox")
	front, theirs := w.pair()
	if err := front.Send(&wire.Login{Version: wire.Version}); err != nil {
		t.Fatal(err)
	}
	over := serve(w.withoutEngine(), theirs)
	if m := w.expect(front, wire.KindError).(*wire.Error); !strings.Contains(m.Text, "imagenam") {
		t.Errorf("told %q", m.Text)
	}
	w.overWith(over, nil)
}

// The limit of the login may be over when it is refused. It fails when the login is
// left in the socket, or taken off it before there is a new limit.
func TestRefusalArrivesThoughItComesLateAndIsReadLater(t *testing.T) {
	w := newWorld(t)
	user, theirs := w.pair()
	if err := user.Send(&wire.Login{Version: wire.Version}); err != nil {
		t.Fatal(err)
	}
	f := &front{Conn: channel.Conn{Socket: &peekConn{Conn: theirs}}}
	f.Within(20 * time.Second)
	if _, _, err := f.Recv(); err != nil {
		t.Fatal(err)
	}
	f.Within(-time.Second)
	w.withoutEngine().refuse(f, errors.New("why"), true)
	_ = f.Close()
	w.expect(user, wire.KindError)
}

func TestDueContainerIsLeftToABrokerWithAnEngine(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nimagename = busybox")
	b := w.withoutEngine()
	if err := b.Reconcile(); err != nil {
		t.Errorf("nothing is due: %v", err)
	}
	w.engine.Fail("Find", engine.ErrDown) // the world's broker looks too
	if err := b.state.Retentions().Set("gone", state.Retention{Ephemeral: true, VacantSince: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := w.withoutEngine().Reconcile(); !errors.Is(err, ErrNeedsEngine) {
		t.Errorf("got %v", err)
	}
}
