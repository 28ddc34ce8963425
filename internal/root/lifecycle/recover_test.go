package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// A login holds the lock of one container, as during a slow pull, and the engine does not remove
// another one.
func TestOneContainerKeepsNoOtherFromItsRecovery(t *testing.T) {
	f, p := carryingPlace(t)
	run := state.RunDir(filepath.Dir(filepath.Dir(string(p.Dir))))
	at := engine.Address{Host: p.Host}
	r := New(t.Context(), Config{
		State: run, Inventory: p.Inventory, Locks: &state.Locks{Dir: run}, Log: slog.New(slog.DiscardHandler),
		Engines:     &engine.Clients{Open: func(engine.Address) (engine.Engine, error) { return f, nil }},
		RemoveProbe: func(context.Context, engine.Engine, *engine.Container) (bool, error) { return false, nil },
	})
	f.Fail("Remove", engine.ErrDown)
	if err := carryOnce(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"held", "left"} {
		labels := policy.Owner{UID: 7}.Labels()
		labels[engine.LabelEphemeral], labels[engine.LabelMark] = "1h", run.Container(name).Mark()
		f.Add(engine.Container{Name: name, State: engine.Exited, Labels: labels})
	}
	if err := p.Inventory.Set("held", state.Expected{ID: "1", Engine: p.Host, Carrying: true}); err != nil {
		t.Fatal(err)
	}
	unlock, err := run.Container("held").Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = r.RecoverFrom(at)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errFormerStays) {
		t.Errorf("not tried again: %v", err)
	}
	if run.Retentions().Has("held") || !run.Retentions().Has("left") {
		t.Error("the other containers are not recovered")
	}
	unlock()
	f.Fail("Remove", nil)
	if err := r.RecoverFrom(at); err != nil {
		t.Error(err)
	}
	isWhole(t, f, p, "recovered")
	if !run.Retentions().Has("held") || len(p.Inventory.Carried()) > 0 {
		t.Errorf("not recovered: %q", p.Inventory.Carried())
	}
}
