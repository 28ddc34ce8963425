package broker

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// containers returns how many there are, without probes.
func (w *world) containers() int {
	w.Helper()
	all, err := w.engine.List(w.Context(), false)
	if err != nil {
		w.Fatal(err)
	}
	return len(all)
}

// nothingLeft waits until the container and all that is known of it are gone.
func (w *world) nothingLeft() {
	w.Helper()
	w.eventually("nothing is left", func() bool {
		all, _ := w.engine.List(w.Context(), false)
		dirs, _ := os.ReadDir(filepath.Join(w.broker.Run, "c"))
		return len(all) == 0 && len(dirs) == 0 && len(w.broker.state.Retentions().Names()) == 0 && len(w.broker.sessions.Live()) == 0
	})
}

// waits waits until it is written that nobody is in the container.
func (w *world) waits() {
	w.Helper()
	w.eventually("it waits", func() bool { v, _ := w.broker.state.Retentions().Get(w.name()); return !v.VacantSince.IsZero() })
}

func TestEphemeralContainerGoesWithItsLastSession(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\n")
	a, b := w.enters(), w.enters()
	_ = a.Close()
	w.eventually("the first is over", func() bool { return len(w.broker.sessions.Live()) == 1 })
	w.broker.lifecycle.ReconcileDue()
	time.Sleep(50 * time.Millisecond)
	if w.containers() != 1 {
		t.Fatal("removed under a session")
	}
	_ = b.Close()
	w.nothingLeft()
	_ = w.enters().Close() // a new one
	w.nothingLeft()
}

func TestSessionContainersAreSeparate(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\ncontainername = %u-%x\nephemeral\n")
	a, b := w.enters(), w.enters()
	if n := w.containers(); n != 2 {
		t.Errorf("%d containers", n)
	}
	_ = a.Close()
	w.eventually("one goes", func() bool { return w.containers() == 1 })
	_ = b.Close()
	w.nothingLeft()
}

func TestContainerLingersForTheNextLogin(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 1h\n")
	made := func() int { return w.engine.Calls("Create") }
	_ = w.enters().Close()
	waits := func() bool {
		v, err := w.broker.state.Retentions().Get(w.name())
		return err == nil && !v.VacantSince.IsZero()
	}
	w.eventually("it waits", waits)
	before := made()
	c := w.enters()
	if made() != before {
		t.Error("the next login got another one")
	}
	w.broker.lifecycle.ReconcileDue()
	w.eventually("it is known that somebody is in", func() bool { return !waits() })
	_ = c.Close()
	w.eventually("it waits again", waits)
	w.broker.lifecycle.ReconcileDue()
	time.Sleep(50 * time.Millisecond)
	if w.containers() != 1 {
		t.Error("it did not wait")
	}
	// An hour later, perhaps with another broker.
	v, err := w.broker.state.Retentions().Get(w.name())
	if err != nil {
		t.Fatal(err)
	}
	v.VacantSince = v.VacantSince.Add(-time.Hour)
	if err := w.broker.state.Retentions().Set(w.name(), v); err != nil {
		t.Fatal(err)
	}
	w.broker.lifecycle.ReconcileDue()
	w.nothingLeft()
}

// A short session counts, even if no broker looked while it lasted.
func TestLingerBeginsWithTheLastEnd(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 1h\n")
	since := func() time.Time { v, _ := w.broker.state.Retentions().Get(w.name()); return v.VacantSince }
	_ = w.enters().Close()
	w.waits()
	first := since()
	time.Sleep(20 * time.Millisecond)
	_ = w.enters().Close()
	w.eventually("it waits from the second on", func() bool { return since().Sub(first) > 10*time.Millisecond })
}

func TestContainerMadeToStayStays(t *testing.T) {
	w := newWorld(t)
	_ = w.enters().Close()
	w.set("[dockersh]\nephemeral\n")
	_ = w.enters().Close()
	w.eventually("both are over", func() bool { return len(w.broker.sessions.Live()) == 0 })
	// Even if its retention says otherwise.
	if err := w.broker.state.Retentions().Set(w.name(), state.Retention{Engine: engine.Address{Host: "/x"}, Ephemeral: true}); err != nil {
		t.Fatal(err)
	}
	w.broker.lifecycle.ReconcileDue()
	w.eventually("it was looked at", func() bool { return len(w.broker.state.Retentions().Names()) == 0 })
	if w.containers() != 1 {
		t.Error("a container that was made to stay was removed")
	}
	before := w.engine.Calls("Find")
	w.enters()
	if w.engine.Calls("Find") != before {
		t.Error("the login is not warm any more")
	}
}

func TestOptionDoesNotMakeAContainerEphemeral(t *testing.T) {
	if _, ok := policy.Ephemeral(map[string]string{engine.LabelEphemeral: "0s"}); ok {
		t.Error("a container that is not ours")
	}
	w := newWorld(t)
	w.enters()
	spec, _ := w.engine.Spec(w.name())
	if v, ok := spec.Labels[engine.LabelEphemeral]; !ok || v != "" {
		t.Errorf("the label is %q, %v: an option could set it", v, ok)
	}
}
