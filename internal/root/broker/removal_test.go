package broker

import (
	"errors"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestFailedRemovalIsTriedAgain(t *testing.T) {
	for _, call := range []string{"Find", "Remove"} {
		w := newWorld(t)
		w.set("[dockersh]\nephemeral\n")
		c := w.enters()
		w.engine.Fail(call, engine.ErrDown)
		tries := w.engine.Calls(call)
		_ = c.Close()
		w.eventually("it was tried", func() bool { return w.engine.Calls(call) > tries })
		w.enters() // meanwhile it is warm
		w.engine.Fail(call, nil)
		if w.containers() != 1 {
			t.Fatal("it is gone")
		}
		w.broker.lifecycle.ReconcileDue()
		time.Sleep(20 * time.Millisecond)
		if w.containers() != 1 {
			t.Error("removed under a session")
		}
	}
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\n")
	c := w.enters()
	w.engine.Fail("Remove", errors.New("device or resource busy"))
	_ = c.Close()
	w.eventually("it was tried", func() bool { return w.engine.Calls("Remove") > 1 }) // the first is the probe of the image
	w.engine.Fail("Remove", nil)
	w.eventually("it goes", func() bool { w.broker.lifecycle.ReconcileDue(); return w.containers() == 0 })
	w.nothingLeft()
}

func TestLoginWaitsForTheRemovalAndGetsANewContainer(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\n")
	c := w.enters() // looks into the image, too
	began, release := w.engine.Hold("Remove")
	_ = c.Close()
	<-began
	answer := make(chan wire.Message, 1)
	go func() { m, _ := w.login(&wire.Login{}); answer <- m }()
	select {
	case m := <-answer:
		t.Fatalf("it entered a container that is being removed: %#v", m)
	case <-time.After(200 * time.Millisecond):
	}
	made := w.engine.Calls("Create")
	release()
	if m := <-answer; m.Kind() != wire.KindReady {
		t.Errorf("got %#v", m)
	}
	if w.engine.Calls("Create") != made+1 {
		t.Error("it is not a new one")
	}
}

// A login comes between the look and the removal.
func TestLoginStopsTheRemoval(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 1h\n")
	_ = w.enters().Close()
	w.waits()
	v, _ := w.broker.state.Retentions().Get(w.name())
	v.VacantSince = v.VacantSince.Add(-2 * time.Hour) // due
	if err := w.broker.state.Retentions().Set(w.name(), v); err != nil {
		t.Fatal(err)
	}
	w.enters()
	w.broker.lifecycle.Reconcile(w.name(), false)
	if w.containers() != 1 {
		t.Error("removed under a session")
	}
	w.enters()
}

// slotsOfUser is how many containers of one user are made, and how many are removed, at a
// time.
const slotsOfUser = 4

// Users can make their removals slow; no login waits for those.
func TestSlowRemovalsDelayNoLogin(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\ncontainername = %u-%x\nephemeral\n")
	var all []channel.Conn
	for range slotsOfUser + 1 {
		all = append(all, w.enters())
	}
	began, release := w.engine.Hold("Remove")
	for _, c := range all {
		_ = c.Close()
	}
	for range slotsOfUser {
		<-began
	}
	w.enters()
	release()
	w.eventually("they go", func() bool { return w.containers() == 1 })
}

// A login that waits says so: for another login to the same container, and for a slot
// at the engine.
func TestLoginThatWaitsIsToldSo(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\ncontainername = %u-%x\n")
	w.enters() // looks into the image, too
	began, release := w.engine.Hold("Create")
	defer release()
	waiting := func() channel.Conn {
		c := w.dial()
		if err := c.Send(&wire.Login{Version: wire.Version}); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range slotsOfUser {
		waiting()
		<-began
	}
	for _, rc := range []string{"[dockersh]\ncontainername = %u-%x\n", "[dockersh]\n", "[dockersh]\n"} {
		w.set(rc)
		m, _, err := waiting().Recv()
		if p, ok := m.(*wire.Progress); !ok || p.Text == "" {
			t.Errorf("instead of a line: %#v %v", m, err)
		}
	}
}

// Several brokers reconcile a container at once; the last one finds nothing, and leaves
// nothing.
func TestLateReconcilerLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\n")
	c := w.enters()
	began, release := w.engine.Hold("Remove")
	_ = c.Close()
	<-began
	late := make(chan struct{})
	go func() { defer close(late); w.broker.lifecycle.Reconcile(w.name(), false) }()
	time.Sleep(50 * time.Millisecond) // it waits for the lock
	release()
	<-late
	w.nothingLeft()
}
