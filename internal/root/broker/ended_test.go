package broker

import (
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
)

// An engine that is restarted ends what it has just started.
func TestContainerThatEndsWhileItIsStartedIsStartedOnceMore(t *testing.T) {
	w := newWorld(t)
	w.shortLived.Store(1)
	w.loginOnce(&wire.Login{}) // makes it
	w.stops()
	w.shortLived.Store(1)
	w.loginOnce(&wire.Login{})

	w.stops()
	starts := w.engine.Calls("Start")
	w.shortLived.Store(100)
	w.refused(&wire.Login{}, "ended as soon as it was started")
	if n := w.engine.Calls("Start") - starts; n != 2 {
		t.Errorf("%d starts", n)
	}
}

// stops ends the container, with its agent.
func (w *world) stops() {
	w.Helper()
	w.engine.SetState(w.name(), engine.Exited)
	if err := state.RunDir(w.broker.Run).Container(w.name()).Clear(); err != nil {
		w.Fatal(err)
	}
}
