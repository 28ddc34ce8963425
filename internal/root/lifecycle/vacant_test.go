package lifecycle

import (
	"errors"
	"os"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

func newContainer(t *testing.T) (run state.RunDir, c state.ContainerDir) {
	t.Helper()
	run = state.RunDir(t.TempDir())
	c = run.Container("c")
	if err := errors.Join(run.Make(), c.Make(), c.SetOwner(policy.Owner{UID: 7})); err != nil {
		t.Fatal(err)
	}
	return run, c
}

func TestNoLoginEntersWhileAContainerIsShut(t *testing.T) {
	_, d := newContainer(t)
	open := func() bool { _, err := d.Owner(); return err == nil }
	vacant, err := WhileVacant(d, func() bool { return false }, func() error {
		if open() {
			t.Error("a login could enter")
		}
		return nil
	})
	if !vacant || err != nil || open() {
		t.Errorf("%v %v, open %v", vacant, err, open())
	}
}

func TestOccupiedOrFailedContainerIsOpenAsBefore(t *testing.T) {
	_, d := newContainer(t)
	broken := errors.New("broken")
	ran := false
	if vacant, err := WhileVacant(d, func() bool { return true }, func() error { ran = true; return nil }); vacant || err != nil || ran {
		t.Errorf("%v %v, ran %v", vacant, err, ran)
	}
	if vacant, err := WhileVacant(d, func() bool { return false }, func() error { return broken }); !vacant || !errors.Is(err, broken) {
		t.Errorf("%v %v", vacant, err)
	}
	if o, err := d.Owner(); err != nil || o.UID != 7 {
		t.Errorf("%+v %v", o, err)
	}
}

func TestPausedContainerIsResumedToBeRemoved(t *testing.T) {
	e := enginetest.New()
	e.Add(engine.Container{Name: "c", ID: "1", State: engine.Paused})
	found, err := e.Find(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	inventory := state.Inventory(t.TempDir() + "/new")
	if err := inventory.Set("c", state.Expected{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // somebody else may have removed it
		if err := RemoveFromEngine(t.Context(), e, inventory, found); err != nil {
			t.Fatal(err)
		}
	}
	if s, ok := inventory.Get("c"); ok {
		t.Errorf("the inventory has %+v", s)
	}
	if all, _ := e.List(t.Context(), false); len(all) != 0 || e.Calls("Start") == 0 {
		t.Errorf("%d left, %d starts", len(all), e.Calls("Start"))
	}
}

func TestStateMayBeRemovedTwice(t *testing.T) {
	run, d := newContainer(t)
	if err := run.Retentions().Set("c", state.Retention{Ephemeral: true}); err != nil {
		t.Fatal(err)
	}
	if err := RemoveState(run, "c"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(string(d)); !errors.Is(err, os.ErrNotExist) || len(run.Retentions().Names()) != 0 {
		t.Errorf("left: %v", err)
	}
	// After a kill it is called again, with a new lock and so a new directory.
	if err := errors.Join(d.Make(), RemoveState(run, "c")); err != nil {
		t.Error(err)
	}
}
