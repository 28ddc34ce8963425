package broker

import (
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// An agent that does not answer may have something running: here none does.
func TestContainerWhoseAgentIsSilentIsNotIdle(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nidletimeout = 1ms\n")
	_ = w.enters().Close()
	w.eventually("it is noted", func() bool { v, _ := w.broker.state.Retentions().Get(w.name()); return !v.VacantSince.IsZero() })
	for range 3 {
		w.broker.lifecycle.ReconcileDue()
		time.Sleep(250 * time.Millisecond)
	}
	if found, err := w.engine.Find(t.Context(), w.name()); err != nil || found.State != engine.Running {
		t.Errorf("%+v %v", found, err)
	}
	if w.engine.Calls("Stop") != 0 {
		t.Error("it was stopped")
	}
	w.set("[dockersh]\n")
	_ = w.enters().Close()
	w.eventually("the setting is off", func() bool { return len(w.broker.state.Retentions().Names()) == 0 })
}
