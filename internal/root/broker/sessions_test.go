package broker

import (
	"os"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
)

// eventually waits for what happens after a connection has ended.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("not within 20 s: %s", what)
		}
	}
}

func TestLiveSessionHasAnEntry(t *testing.T) {
	w := newWorld(t)
	c := w.enters()
	all := w.broker.sessions.Live()
	if len(all) != 1 || all[0].UID != w.me.UID || all[0].User != w.me.Name || all[0].Container != w.name() || all[0].Waiting ||
		time.Since(all[0].Since) > time.Minute {
		t.Errorf("%+v", all)
	}
	_ = c.Close()
	w.eventually("the entry goes with the connection", func() bool { return len(w.broker.sessions.Live()) == 0 })

	w.engine.Fail("Find", engine.ErrDown)
	w.broker.forget(w.name())
	w.refused(&wire.Login{}, "engine does not answer")
	w.eventually("a refused login leaves none", func() bool { return len(w.broker.sessions.Live()) == 0 })
	w.set("[user \"" + w.me.Name + "\"]\nhostshell = /bin/sh\nmaxsessions = 1\n")
	for range 3 { // break-glass must not be shut by it
		if m, _ := w.login(&wire.Login{}); m.Kind() != wire.KindHostShell {
			t.Errorf("got %#v", m)
		}
	}
}

func TestMaxsessionsCountsLiveSessions(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nmaxsessions = 2\n")
	c := w.enters()
	w.enters()
	w.refused(&wire.Login{}, "you may have 2 sessions at a time, and have 2")
	_ = c.Close()
	w.eventually("a place is free again", func() bool {
		m, _ := w.login(&wire.Login{})
		return m.Kind() == wire.KindReady
	})
	w.refused(&wire.Login{}, "you may have 2 sessions")
	w.set("[dockersh]\nmaxsessions = 0\n")
	w.enters()
}

// Another broker counts and writes at the same time, under the lock.
func TestLastPlaceIsGivenOnce(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nmaxsessions = 1\n")
	unlock, err := w.broker.sessions.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan wire.Message, 1)
	go func() { m, _ := w.login(&wire.Login{}); answer <- m }()
	select {
	case m := <-answer:
		t.Fatalf("a login did not wait for the lock: %#v", m)
	case <-time.After(200 * time.Millisecond):
	}
	me, err := proc.Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	theirs := state.Session{ID: state.NewSessionID(), UID: w.me.UID, User: w.me.Name, Container: "elsewhere", Pid: me.Pid, Start: me.Start}
	if err := w.broker.sessions.Add(theirs); err != nil {
		t.Fatal(err)
	}
	unlock()
	if e, ok := (<-answer).(*wire.Error); !ok || !contains(e.Text, "you may have 1 sessions") {
		t.Errorf("the last place was given twice: %#v", e)
	}
}
