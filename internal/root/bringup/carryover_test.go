package bringup

import (
	"context"
	"errors"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

const applied = "[dockersh]\nonchange = apply\nhostname = other\n"

// newCarry returns a login of alice, whose container was made with other settings.
func newCarry(t *testing.T, text string) (*coldLogin, *enginetest.Fake, state.Made) {
	t.Helper()
	e := enginetest.New()
	e.AddImage("busybox", "sha256:1", nil)
	a := newColdLogin(t, e, text)
	a.b.Inventory = state.Inventory(t.TempDir())
	a.login = Login{Plan: a.plan, Session: &state.Session{ID: "s"}}
	made := state.Made{UID: 1001, Settings: "others", Image: "busybox", ImageID: "sha256:1", Fixed: "others",
		Limits: lifecycle.LimitsText(a.plan.Settings)}
	if err := a.dir.SetMade(made); err != nil {
		t.Fatal(err)
	}
	labels := policy.Owner{UID: 1001, Identity: "u=alice"}.Labels()
	labels[engine.LabelMark] = a.dir.Mark()
	e.Add(engine.Container{Name: "alice_dockersh", State: engine.Exited, Image: "busybox", ImageID: "sha256:1", Labels: labels})
	return a, e, made
}

func TestContainerIsCarriedOverForItsMakerAndTheSameImage(t *testing.T) {
	a, _, made := newCarry(t, applied)
	if !a.b.mayCarryOver(a.login, made) {
		t.Fatal("it is kept")
	}
	for what, change := range map[string]func(l *Login, m *state.Made){
		"another user made it":   func(_ *Login, m *state.Made) { m.UID = 7 },
		"of another image":       func(_ *Login, m *state.Made) { m.Image = "debian" },
		"settings are the same":  func(l *Login, m *state.Made) { m.Settings = l.Plan.Settings.Hash() },
		"only limits differ":     func(l *Login, m *state.Made) { m.Fixed, m.Limits = l.Plan.Settings.FixedHash(), "others" },
		"users' word is unknown": func(l *Login, _ *state.Made) { l.KnownOnly = true },
	} {
		l, m := a.login, made
		change(&l, &m)
		if err := a.dir.SetMade(m); err != nil {
			t.Fatal(err)
		}
		if a.b.mayCarryOver(l, m) {
			t.Errorf("%s: it is carried over", what)
		}
	}
	if err := errors.Join(a.dir.SetMade(made), a.dir.SetKept(state.Kept{Settings: a.plan.Settings.Hash(), Why: "x"})); err != nil {
		t.Fatal(err)
	}
	if a.b.mayCarryOver(a.login, made) {
		t.Error("it was kept a moment ago, and is tried again")
	}
	if err := a.dir.SetKept(state.Kept{Settings: "of earlier settings", Why: "x"}); err != nil {
		t.Fatal(err)
	}
	if !a.b.mayCarryOver(a.login, made) {
		t.Error("the settings changed since it was kept, and it is not tried again")
	}
	a.b.Inventory = ""
	if a.b.mayCarryOver(a.login, made) {
		t.Error("without an inventory nothing could be undone")
	}
}

// A login goes on where a container cannot be carried over, and the next one does not try again.
func TestLoginGoesOnWhereNothingIsCarriedOver(t *testing.T) {
	for what, prepare := range map[string]func(e *enginetest.Fake){
		"the engine does not answer":    func(e *enginetest.Fake) { e.Fail("Find", engine.ErrDown) },
		"its process 1 is another's":    func(*enginetest.Fake) {}, // it has no label of an agent
		"it is paused":                  func(e *enginetest.Fake) { e.SetState("alice_dockersh", engine.Paused) },
		"it was half made, and is dead": func(e *enginetest.Fake) { e.SetState("alice_dockersh", engine.Dead) },
	} {
		a, e, made := newCarry(t, applied)
		prepare(e)
		if changed, err := a.carryOver(t.Context()); changed != "" || err != nil {
			t.Errorf("%s: %q %v", what, changed, err)
		}
		if k, ok := a.dir.Kept(); !ok || k.Why == "" || a.b.mayCarryOver(a.login, made) {
			t.Errorf("%s: %+v", what, k)
		}
		for _, method := range []string{"Stop", "Rename", "CarryLayer", "Remove"} {
			if e.Calls(method) > 0 {
				t.Errorf("%s: %s was called", what, method)
			}
		}
	}
}

// The engine could not remove the container before.
func TestInventoryKnowsTheContainerBeforeUntilItIsRemoved(t *testing.T) {
	a, e, _ := newCarry(t, applied)
	a.b = New(Config{Config: launch.Config{State: a.b.State, Inventory: state.Inventory(t.TempDir()), Log: a.b.Log}, Locks: a.b.Locks})
	a.target = a.b.launch.Target(a.plan, e, a.show)
	found, err := e.Find(t.Context(), a.plan.Container)
	if err != nil {
		t.Fatal(err)
	}
	entry := state.Expected{ID: found.ID, UID: 1001, Engine: a.plan.Engine().Host, Old: "before"}
	if err := errors.Join(a.b.Inventory.Set(a.plan.Container, entry), a.target.WriteState(found)); err != nil {
		t.Fatal(err)
	}
	if got, _ := a.b.Inventory.Get(a.plan.Container); got != entry {
		t.Errorf("the inventory has %+v", got)
	}
	entry.ID = "another"
	if err := errors.Join(a.b.Inventory.Set(a.plan.Container, entry), a.target.WriteState(found)); err != nil {
		t.Fatal(err)
	}
	if got, _ := a.b.Inventory.Get(a.plan.Container); got.ID != found.ID || got.Old != "" {
		t.Errorf("the inventory has %+v for another container", got)
	}
}

// A user who logs in and breaks off again and again does not have the engine look at the size of
// the container, and copy it, each time.
func TestLoginThatIsBrokenOffIsNotRepeatedAtOnce(t *testing.T) {
	a, _, made := newCarry(t, applied)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.carryOver(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the login goes on: %v", err)
	}
	if a.b.mayCarryOver(a.login, made) {
		t.Error("it is tried again")
	}
}

// Its broker was killed when another container had its place, and before it was known what that
// was made from.
func TestContainerThatHasTheSettingsIsNotCopiedAgain(t *testing.T) {
	a, e, made := newCarry(t, applied)
	c, err := e.Find(t.Context(), a.plan.Container)
	if err != nil {
		t.Fatal(err)
	}
	c.Labels[engine.LabelSettings] = a.plan.Settings.Hash()
	e.Add(*c)
	if _, err := a.carryOver(t.Context()); err != nil {
		t.Error(err)
	}
	if made, err = a.dir.Made(); err != nil || made.Settings != a.plan.Settings.Hash() || a.b.mayCarryOver(a.login, made) {
		t.Errorf("made from %+v: %v", made, err)
	}
	if _, kept := a.dir.Kept(); kept || e.Calls("CarryLayer") > 0 {
		t.Errorf("kept %v, copied %d times", kept, e.Calls("CarryLayer"))
	}
}

// Its agent was killed, and what somebody started may run.
func TestContainerThatCannotBeAskedIsNotCarriedOver(t *testing.T) {
	a, e, _ := newCarry(t, applied)
	e.SetState(a.plan.Container, engine.Running)
	if _, err := a.carryOver(t.Context()); err != nil {
		t.Error(err)
	}
	if k, ok := a.dir.Kept(); !ok || k.Why != string(somethingRuns) || e.Calls("Stop") > 0 {
		t.Errorf("%+v, stopped %d times", k, e.Calls("Stop"))
	}
}
