package broker

import (
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
)

// An agent that does not answer may have something running: here none does.
func TestAContainerWhoseAgentIsSilentIsNotIdle(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nidletimeout = 1ms\n")
	_ = w.enters().Close()
	w.eventually("it is noted", func() bool { v, _ := w.broker.lives.Get(w.name()); return !v.Since.IsZero() })
	for range 3 {
		w.broker.look(t.Context())
		time.Sleep(250 * time.Millisecond)
	}
	if found, err := w.engine.Find(t.Context(), w.name()); err != nil || found.State != engine.Running {
		t.Errorf("%+v %v", found, err)
	}
	if w.engine.Calls("Stop") != 0 {
		t.Error("it was stopped")
	}
	w.set("")
	_ = w.enters().Close()
	w.eventually("the setting is off", func() bool { return len(w.broker.lives.Names()) == 0 })
}

// A user who logs in ten thousand times has as many containers, one after the other.
func TestOfContainersThatAreGoneNothingIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.broker.tended.mu.Lock()
	w.broker.tended.sampled = map[string]time.Time{"now": time.Now(), "gone": time.Now().Add(-time.Hour)}
	w.broker.tended.mu.Unlock()
	w.broker.look(t.Context())
	w.broker.tended.mu.Lock()
	defer w.broker.tended.mu.Unlock()
	if _, now := w.broker.tended.sampled["now"]; !now || len(w.broker.tended.sampled) != 1 {
		t.Errorf("%v", w.broker.tended.sampled)
	}
}
