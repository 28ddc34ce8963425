package bringup

import (
	"context"
	"log/slog"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// newColdLogin returns a cold login of alice, with an engine in memory.
func newColdLogin(t *testing.T, e *enginetest.Fake, text string) *coldLogin {
	t.Helper()
	run := state.RunDir(t.TempDir())
	if err := run.Make(); err != nil {
		t.Fatal(err)
	}
	b := New(Config{Config: launch.Config{State: run, Log: slog.New(slog.DiscardHandler)}, Locks: &state.Locks{Dir: run}})
	effective := effectiveFor(t, text, "alice")
	plan, err := policy.Decide(account.User{Name: "alice", UID: 1001, GID: 1001}, effective.Settings, policy.Request{Admins: effective.Admins})
	if err != nil {
		t.Fatal(err)
	}
	a := &coldLogin{b: b, plan: plan, dir: run.Container(plan.Container), engine: e, show: func(string) {}}
	a.target = b.launch.Target(plan, e, a.show)
	if err := a.dir.Make(); err != nil {
		t.Fatal(err)
	}
	return a
}

func effectiveFor(t *testing.T, text, user string) *settings.Effective {
	t.Helper()
	file, err := config.Parse("rc", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	e, err := settings.For(file, settings.Login{User: account.User{Name: user}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func mustRecreate(t *testing.T, a *coldLogin) ColdReason {
	t.Helper()
	changed, err := a.recreateIfChanged(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// Users of one container may have different settings: what counts is whether the user
// who made it would make it in the same way again.
func TestRecreateComparesWithTheSettingsOfTheMaker(t *testing.T) {
	const text = "[dockersh]\nonchange = recreate\ncontainername = class\n[user \"carol\"]\nmemory = 7g\n"
	e := enginetest.New()
	e.AddImage("busybox", "sha256:1", nil)
	a := newColdLogin(t, e, text)
	carols := effectiveFor(t, text, "carol").Admins
	a.b.AdminSettings = func(_ context.Context, uid uint32) *config.Settings {
		if uid != 7 {
			t.Errorf("the settings of uid %d were asked for", uid)
		}
		return carols
	}
	labels := policy.Owner{UID: 7}.Labels()
	labels[engine.LabelAdmins] = carols.Hash()
	e.Add(engine.Container{Name: "class", State: engine.Exited, Image: "busybox", ImageID: "sha256:1", Labels: labels})
	if changed := mustRecreate(t, a); changed != "" {
		t.Errorf("alice's settings are different, and it was removed: %s", changed)
	}
	carols = effectiveFor(t, text+"memory = 8g\n", "carol").Admins
	if changed := mustRecreate(t, a); changed != NewSettings {
		t.Errorf("carol's settings changed: %q", changed)
	}
	if _, err := e.Find(t.Context(), "class"); err == nil {
		t.Error("it was kept")
	}
}

// A container of an older version has no label that says which settings made it, and its
// image may be gone.
func TestRecreateKeepsWhatItCannotJudge(t *testing.T) {
	e := enginetest.New()
	a := newColdLogin(t, e, "[dockersh]\nonchange = recreate\nmemory = 1g\n")
	e.Add(engine.Container{Name: "alice_dockersh", State: engine.Exited, Image: "gone:1", ImageID: "sha256:1", Labels: policy.Owner{UID: 1001, Identity: "u=alice"}.Labels()})
	if changed := mustRecreate(t, a); changed != "" {
		t.Errorf("it was removed: %s", changed)
	}
	if _, err := e.Find(t.Context(), "alice_dockersh"); err != nil {
		t.Error(err)
	}
}
