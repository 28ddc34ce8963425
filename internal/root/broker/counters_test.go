package broker

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// counted returns what the broker counted, as root is answered.
func (w *world) counted() *wire.Counters {
	w.Helper()
	c := w.dialAs(0)
	if err := c.Send(&wire.ReadCounters{Version: wire.Version}); err != nil {
		w.Fatal(err)
	}
	m, _, err := c.Recv()
	counters, ok := m.(*wire.Counters)
	if !ok {
		w.Fatalf("%#v, %v", m, err)
	}
	return counters
}

func sum(all []uint64) (n uint64) {
	for _, one := range all {
		n += one
	}
	return n
}

func TestLoginsAreCountedByTheirOutcome(t *testing.T) {
	w := newWorld(t)
	begin := w.counted()
	if age := time.Since(time.Unix(int64(begin.Since), 0)); age < 0 || age > time.Minute || sum(begin.Refused)+begin.Started != 0 {
		t.Errorf("at the beginning: %+v", begin)
	}
	w.enters() // cold
	w.enters()
	w.enters()
	w.set("[dockersh]\nnonsense = 1\n")
	w.refused(&wire.Login{}, "unknown setting")
	w.set("[user \"" + w.me.Name + "\"]\nhostshell = /bin/sh\n")
	w.login(&wire.Login{})
	w.eventually("all are counted", func() bool { n := w.counted(); return n.HostShells+n.Started+sum(n.Refused) == 5 })
	n := w.counted()
	if sum(n.Cold) != 1 || sum(n.Warm) != 2 || n.Started != 3 || n.HostShells != 1 || n.Abandoned != 0 {
		t.Errorf("%+v", n)
	}
	if sum(n.Refused) != 1 || n.Refused[usererr.Settings] != 1 {
		t.Errorf("refused: %v", n.Refused)
	}
	if n.WarmTime == 0 || n.ColdTime <= n.WarmTime/2 {
		t.Errorf("times: %d, %d", n.WarmTime, n.ColdTime)
	}
	if n.EngineCalls == 0 || n.EngineFails != 0 || n.Slots == 0 || n.SlotsInUse != 0 || n.Queue != 0 {
		t.Errorf("engine: %+v", n)
	}
}

func TestQueueAtTheEngineAndItsFailuresAreCounted(t *testing.T) {
	w := newWorld(t)
	began, resume := w.engine.Hold("Create")
	done := make(chan struct{})
	c := w.dial()
	go func() {
		defer close(done)
		_ = c.Send(&wire.Login{Version: wire.Version})
		for {
			if m, _, err := c.Recv(); err != nil || m.Kind() != wire.KindProgress {
				return
			}
		}
	}()
	<-began
	if n := w.counted(); n.SlotsInUse != 1 {
		t.Errorf("while a container is made: %+v", n)
	}
	w.engine.Fail("Create", errors.New("no room"))
	resume()
	<-done
	if n := w.counted(); n.SlotsInUse != 0 || n.EngineFails == 0 || sum(n.Refused) != 1 {
		t.Errorf("after a failure: %+v", n)
	}
}

func TestLoginWhoseFrontHasGoneIsNotRefused(t *testing.T) {
	w := newWorld(t)
	for _, err := range []error{errFrontGone, context.Canceled, usererr.New(usererr.Unavailable, "no", "", context.Canceled), unix.EPIPE, io.EOF} {
		w.broker.countRefusal(err)
	}
	if n := w.counted(); n.Abandoned != 5 || sum(n.Refused) != 0 {
		t.Errorf("%+v", n)
	}
}

// What it counts is the administrator's alone: how much others do.
func TestUsersCannotReadTheCounters(t *testing.T) {
	w := newWorld(t)
	c := w.dialAs(1001)
	_ = c.Send(&wire.ReadCounters{Version: wire.Version})
	m, _, err := c.Recv()
	if e, ok := m.(*wire.Error); !ok || e.Code != uint8(usererr.Protocol) {
		t.Errorf("%#v %v", m, err)
	}
	c = w.dialAs(0)
	_ = c.Send(&wire.ReadCounters{Version: wire.Version + 1})
	if m, _, err := c.Recv(); m == nil || m.Kind() != wire.KindError {
		t.Errorf("of another version: %#v %v", m, err)
	}
	c = w.dialAs(0)
	_ = c.Send(&wire.ReadCounters{Version: wire.Version})
	_, _, _ = c.Recv()
	w.ends("after the answer", c)
}
