package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

var cluster = engine.Address{Host: engine.Cluster + "ns"}

// loginHost is a login host through which the ephemeral pod c of a cluster was entered.
func loginHost(t *testing.T, f *enginetest.Fake, session string) (*Reconciler, engine.Presence) {
	t.Helper()
	run := state.RunDir(t.TempDir())
	host, err := run.Host()
	err = errors.Join(err, run.Make(), run.Container("c").Make(), run.Retentions().Set("c", state.Retention{Engine: cluster, Ephemeral: true}))
	p := engine.Presence{Container: "c", Host: host, Session: session}
	if err = errors.Join(err, f.Announce(t.Context(), p)); err != nil {
		t.Fatal(err)
	}
	return New(t.Context(), Config{
		State: run, Inventory: state.Inventory(t.TempDir()), Locks: &state.Locks{Dir: run}, Log: slog.New(slog.DiscardHandler),
		Engines: &engine.Clients{Open: func(engine.Address) (engine.Engine, error) { return f, nil }},
	}), p
}

func addPod(f *enginetest.Fake) {
	labels := policy.Owner{UID: 7, Identity: "u=x"}.Labels()
	labels[engine.LabelEphemeral], labels[engine.LabelMark] = "0s", "shared:c"
	f.Add(engine.Container{Name: "c", ID: "1", State: engine.Running, Labels: labels})
}

// The bridges of their sessions have not withdrawn them yet.
func TestPodGoesWithTheLastSessionsOfTwoLoginHostsThatEndAtOnce(t *testing.T) {
	f := enginetest.New()
	addPod(f)
	a, _ := loginHost(t, f, "s1")
	b, _ := loginHost(t, f, "s2")
	a.SessionEnded("c", nil)
	b.SessionEnded("c", nil)
	if all, err := f.List(t.Context(), false); len(all) != 0 || err != nil {
		t.Errorf("it stays: %v", err)
	}
}

// withdrawing is an engine whose bridges withdraw their sessions just after somebody looked at those.
type withdrawing struct{ *enginetest.Fake }

func (w withdrawing) RemoveVacant(ctx context.Context, id, host string) error {
	defer w.Forget()
	return w.Fake.RemoveVacant(ctx, id, host)
}

func TestPodGoesWhoseSessionsWereWithdrawnMeanwhile(t *testing.T) {
	f := enginetest.New()
	addPod(f)
	a, _ := loginHost(t, f, "s1")
	loginHost(t, f, "s2")
	a.Engines.Open = func(engine.Address) (engine.Engine, error) { return withdrawing{f}, nil }
	a.SessionEnded("c", nil)
	if all, err := f.List(t.Context(), false); len(all) != 0 || err != nil {
		t.Errorf("it stays: %v", err)
	}
}

// A login through this host comes while its last session ends, and another host is in the pod.
func TestLoginThatComesAtTheEndOfTheLastSessionIsStillAnnounced(t *testing.T) {
	f := enginetest.New()
	addPod(f)
	a, ended := loginHost(t, f, "s1")
	_, other := loginHost(t, f, "s2")
	comes := engine.Presence{Container: "c", Host: ended.Host, Session: "s3"}
	if err := f.Announce(t.Context(), comes); err != nil {
		t.Fatal(err)
	}
	me, err := proc.Of(os.Getpid())
	if err = errors.Join(err, a.State.Sessions().Add(state.Session{ID: "s3", Container: "c", Pid: os.Getpid(), Start: me.Start})); err != nil {
		t.Fatal(err)
	}
	if err := a.withdrawEnded(t.Context(), f, "c"); err != nil {
		t.Error(err)
	}
	if all, err := f.Presences(t.Context()); len(all) != 2 || all[0] != other || all[1] != comes || err != nil {
		t.Errorf("%+v %v", all, err)
	}
}
