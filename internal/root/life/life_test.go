package life

import (
	"errors"
	"os"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

func dir(t *testing.T) (run string, d rundir.Dir) {
	t.Helper()
	run = t.TempDir()
	d = rundir.Of(run, "c")
	if err := errors.Join(d.Make(), d.SetOwner(policy.Owner{UID: 7}), rundir.LivesOf(run).Make()); err != nil {
		t.Fatal(err)
	}
	return run, d
}

func TestWhoIsAloneMeetsNoLogin(t *testing.T) {
	_, d := dir(t)
	open := func() bool { _, err := d.Owner(); return err == nil }
	alone, err := Alone(d, func() bool { return false }, func() error {
		if open() {
			t.Error("a login would get in")
		}
		return nil
	})
	if !alone || err != nil || open() {
		t.Errorf("%v %v, open %v", alone, err, open())
	}
}

func TestWhereSomebodyIsOrSomethingFailsItIsOpenAsBefore(t *testing.T) {
	_, d := dir(t)
	broken := errors.New("broken")
	ran := false
	if alone, err := Alone(d, func() bool { return true }, func() error { ran = true; return nil }); alone || err != nil || ran {
		t.Errorf("%v %v, ran %v", alone, err, ran)
	}
	if alone, err := Alone(d, func() bool { return false }, func() error { return broken }); !alone || !errors.Is(err, broken) {
		t.Errorf("%v %v", alone, err)
	}
	if o, err := d.Owner(); err != nil || o.UID != 7 {
		t.Errorf("%+v %v", o, err)
	}
}

func TestWhatIsPausedIsWokenToBeRemoved(t *testing.T) {
	e := enginetest.New()
	e.Add(engine.Container{Name: "c", ID: "1", State: engine.Paused})
	found, err := e.Find(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // somebody else may have removed it
		if err := Remove(t.Context(), e, found); err != nil {
			t.Fatal(err)
		}
	}
	if all, _ := e.List(t.Context(), false); len(all) != 0 || e.Calls("Start") == 0 {
		t.Errorf("%d left, %d starts", len(all), e.Calls("Start"))
	}
}

func TestForgettingTwiceIsForgetting(t *testing.T) {
	run, d := dir(t)
	if err := rundir.LivesOf(run).Set("c", rundir.Life{Ephemeral: true}); err != nil {
		t.Fatal(err)
	}
	if err := Forget(run, "c"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(string(d)); !errors.Is(err, os.ErrNotExist) || len(rundir.LivesOf(run).Names()) != 0 {
		t.Errorf("something is left: %v", err)
	}
	// A killed one comes again, with a new lock and so a new directory.
	if err := errors.Join(d.Make(), Forget(run, "c")); err != nil {
		t.Error(err)
	}
}
