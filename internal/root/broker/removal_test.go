package broker

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/rundir"
)

func TestTheEngineIsAskedAgain(t *testing.T) {
	for _, call := range []string{"Find", "Remove"} {
		w := newWorld(t)
		w.set("[dockersh]\nephemeral\n")
		c := w.enters()
		w.engine.Fail(call, engine.ErrDown)
		_ = c.Close()
		w.eventually("it was tried", func() bool { return w.broker.tended.fails(w.name(), true) == false })
		w.enters() // meanwhile it is warm
		w.engine.Fail(call, nil)
		if w.containers() != 1 {
			t.Fatal("it is gone")
		}
		w.broker.look(t.Context())
		time.Sleep(20 * time.Millisecond)
		if w.containers() != 1 {
			t.Error("it was removed under a session")
		}
	}
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\n")
	c := w.enters()
	w.engine.Fail("Remove", errors.New("device or resource busy"))
	_ = c.Close()
	w.eventually("it was tried", func() bool { return w.engine.Calls("Remove") > 1 }) // the first is the probe of the image
	w.engine.Fail("Remove", nil)
	w.eventually("it goes", func() bool { w.broker.look(t.Context()); return w.containers() == 0 })
	w.nothingLeft()
}

// heldEngine waits before it removes.
type heldEngine struct {
	engine.Engine
	began, go_ chan struct{}
}

func (e heldEngine) Remove(ctx context.Context, id string) error {
	e.began <- struct{}{}
	<-e.go_
	return e.Engine.Remove(ctx, id)
}

func TestALoginWaitsForTheRemovalAndGetsAFreshContainer(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\n")
	c := w.enters() // looks into the image, too
	held := heldEngine{w.engine, make(chan struct{}), make(chan struct{})}
	w.use(held)
	_ = c.Close()
	<-held.began
	answer := make(chan wire.Message, 1)
	go func() { m, _ := w.login(&wire.Login{}); answer <- m }()
	select {
	case m := <-answer:
		t.Fatalf("it got into what is being removed: %#v", m)
	case <-time.After(200 * time.Millisecond):
	}
	made := w.engine.Calls("Create")
	close(held.go_)
	if m := <-answer; m.Kind() != wire.KindReady {
		t.Errorf("got %#v", m)
	}
	if w.engine.Calls("Create") != made+1 {
		t.Error("it is not a fresh one")
	}
}

// A login that comes between the look and the removal.
func TestALoginStopsTheRemoval(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 1h\n")
	_ = w.enters().Close()
	w.waits()
	dir := rundir.Of(w.broker.Run, w.name())
	release, err := w.broker.hold(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	w.enters()
	v, _ := w.broker.lives.Get(w.name())
	if err := w.broker.clear(t.Context(), w.name(), dir, v); err != nil {
		t.Error(err)
	}
	release()
	if w.containers() != 1 {
		t.Error("it was removed under a session")
	}
	w.enters()
}

// Users can make their removals slow; nobody's login waits for those.
func TestSlowRemovalsHoldUpNobodysLogin(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\ncontainername = %u-%x\nephemeral\n")
	var all []channel.Conn
	for range atOnce + 1 {
		all = append(all, w.enters())
	}
	held := heldEngine{w.engine, make(chan struct{}, len(all)), make(chan struct{})}
	w.use(held)
	for _, c := range all {
		_ = c.Close()
	}
	for range atOnce {
		<-held.began
	}
	w.enters()
	close(held.go_)
	w.eventually("they go", func() bool { return w.containers() == 1 })
}

// Whoever waits is told so: for another's work at the same container, and for a
// place at the engine.
func TestWhoWaitsIsToldSo(t *testing.T) {
	w := newWorld(t)
	for range atOnce {
		w.broker.work <- struct{}{}
	}
	for range 3 {
		c := w.dial()
		if err := c.Send(&wire.Login{Version: wire.Version}); err != nil {
			t.Fatal(err)
		}
		m, _, err := c.Recv()
		if p, ok := m.(*wire.Progress); !ok || p.Text == "" {
			t.Errorf("instead of a line: %#v %v", m, err)
		}
	}
}

// Several look at a container's end at once; who comes late finds nothing, and
// leaves nothing.
func TestWhoComesLateToARemovalLeavesNothing(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\n")
	c := w.enters()
	held := heldEngine{w.engine, make(chan struct{}), make(chan struct{})}
	w.use(held)
	_ = c.Close()
	<-held.began
	late := make(chan struct{})
	go func() { defer close(late); w.broker.tend(t.Context(), w.name(), false) }()
	time.Sleep(50 * time.Millisecond) // it waits for the lock
	close(held.go_)
	<-late
	w.nothingLeft()
}
