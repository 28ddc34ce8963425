package lifecycle

import (
	"context"
	"slices"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/presence"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Login hosts share the pods of a cluster. Each looks after those that were entered through it, and
// finds those that nobody is in: their host may be gone.

// engineAt returns the engine of an address, whose Remove leaves alone what other login hosts are in.
func (r *Reconciler) engineAt(at engine.Address) (engine.Engine, error) {
	e, err := r.Engines.Get(at)
	if err != nil || !at.IsCluster() {
		return e, err
	}
	host, err := r.State.Host()
	return presence.Careful(e, at, host), err
}

// lingersShared reports whether a container lingers that other login hosts may enter meanwhile.
func lingersShared(ret state.Retention) bool { return ret.Engine.IsCluster() && ret.Linger > 0 }

// lastLogin returns what Retention.Login is for a container now; empty where that is not known.
func (r *Reconciler) lastLogin(ctx context.Context, container string, ret state.Retention) string {
	if !lingersShared(ret) {
		return ""
	}
	e, err := r.Engines.Get(ret.Engine)
	if err != nil {
		return ""
	}
	found, err := e.Find(ctx, container)
	if err != nil {
		return ""
	}
	return lastLoginOf(found)
}

// lastLoginOf is not empty, even where there was no login.
func lastLoginOf(c *engine.Container) string { return "last " + c.Labels[engine.LabelLogin] }

// presentOn returns the sessions of all login hosts that share an engine's containers.
func (r *Reconciler) presentOn(e engine.Engine, at engine.Address) ([]engine.Presence, error) {
	shared, ok := e.(engine.Shared)
	if !ok || !at.IsCluster() {
		return nil, nil
	}
	return shared.Presences(r.ctx)
}

// withdrawEnded withdraws the sessions of this host that are over: their bridges may not have come to it
// yet. So of two hosts that leave a container at once, the one that looks last afterwards sees that
// nobody is in it.
func (r *Reconciler) withdrawEnded(ctx context.Context, e engine.Engine, container string) error {
	shared, ok := e.(engine.Shared)
	if !ok {
		return nil
	}
	host, err := r.State.Host()
	if err != nil {
		return err
	}
	all, err := shared.Presences(ctx)
	entries := r.State.Sessions().ByContainer()[container] // read last: an entry is older than what announces it
	for _, p := range all {
		lives := func(s state.Session) bool { return s.ID == p.Session && s.IsLive() }
		if p.Container != container || p.Host != host || slices.ContainsFunc(entries, lives) {
			continue
		}
		if err := shared.Withdraw(ctx, p); err != nil {
			return err
		}
	}
	return err
}

// isPresent reports whether one of these is in a container.
func isPresent(all []engine.Presence, container string) bool {
	return slices.ContainsFunc(all, func(p engine.Presence) bool { return p.Container == container })
}

// presencesEach is how often the sessions of other login hosts are looked at, and sharedEach how often
// their containers are.
const (
	presencesEach = engine.PresenceEach
	sharedEach    = 30 * time.Second
)

// watchPresences sees to it that sessions stop counting whose login host is gone. What else is done for
// containers may take long, and holds it up in nothing.
func (r *Reconciler) watchPresences(at engine.Address) {
	for r.ctx.Err() == nil {
		if e, err := r.Engines.Get(at); err == nil {
			_, _ = r.presentOn(e, at) // else the next time
		}
		wait.Sleep(r.ctx, presencesEach)
	}
}

// watchShared looks after the containers of login hosts that are gone.
func (r *Reconciler) watchShared(at engine.Address) {
	for r.ctx.Err() == nil {
		wait.Sleep(r.ctx, sharedEach)
		_ = r.RecoverFrom(at) // else the next time
	}
}
