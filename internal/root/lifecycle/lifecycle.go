// Package lifecycle is what happens to a container that nobody is in: it is removed
// (ephemeral, linger), stopped (idletimeout), or left as it is. The session entries decide
// whether somebody is in a container, and its retention, written when it was made, what happens
// to it: both are files (internal/root/state) and hold across brokers. The steps that
// dockershctl takes in the same way under the same lock are here too.
package lifecycle

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/root/state"
)

const (
	pollInterval   = 5 * time.Second // how late the end of a session may be noticed that no broker saw
	pollsPerSweep  = 4               // a sweep looks at every session entry, for those that nothing else misses
	reconcileLimit = 2 * time.Minute
)

// Config is what a Reconciler works with.
type Config struct {
	State     state.RunDir
	Inventory state.Inventory
	Locks     *state.Locks
	Engines   *engine.Clients
	Log       *slog.Logger

	// Attend makes the process stay until nothing is left to do for a container, as a
	// broker of one session does in place of a service.
	Attend bool
	// AllEngines are where containers without a retention entry are looked for.
	AllEngines func() ([]engine.Address, error)
	// RemoveProbe removes a container that was made to look into an image, unless it is
	// in use; ok is false if the container is not such a probe.
	RemoveProbe func(ctx context.Context, e engine.Engine, c *engine.Container) (ok bool, err error)
	// SessionLost is called once for each session that ended without its broker, after
	// its entry was removed.
	SessionLost func(state.Session)
}

// Reconciler does for containers what their retention asks.
type Reconciler struct {
	Config
	ctx  context.Context // its end is the end of all work
	jobs jobs
	// A slot is one container that is being removed. These slots are not those of logins:
	// a user can fill a container so that its removal takes long.
	removals    *wait.Turns
	needsEngine atomic.Bool // something is due, and this process has no client of an engine
}

// New returns a Reconciler whose work ends with ctx.
func New(ctx context.Context, c Config) *Reconciler {
	return &Reconciler{Config: c, ctx: ctx, removals: wait.NewTurns(engine.AtOnce, engine.AtOnceOfUser)}
}

// Run looks after containers until the work ends: those whose sessions ended while no
// broker ran, those that are due, and those that could not be removed before.
func (r *Reconciler) Run() {
	if err := r.State.FinishRemovals(); err != nil {
		r.Log.Error("cannot remove what a killed broker left", "cause", err)
	}
	r.Inventory.RemoveUnfinished()
	go r.keepRecovering()
	for n := 0; r.ctx.Err() == nil; n++ {
		if n%pollsPerSweep == 0 {
			r.Sweep()
		}
		r.ReconcileDue()
		wait.Sleep(r.ctx, pollInterval)
	}
}

// Finish does what is due by now, and what killed brokers left undone. It reports
// whether something is due that needs an engine, where this process has no client.
func (r *Reconciler) Finish() (needsEngine bool) {
	r.Sweep()
	r.ReconcileDue()
	r.Shutdown(r.ctx)
	return r.needsEngine.Load()
}

// Shutdown lets no new work begin and waits for what is under way, at most until ctx
// ends. What is left to do is the next broker's.
func (r *Reconciler) Shutdown(ctx context.Context) { wait.Until(ctx, r.jobs.stop) }

// NeedsEngine reports whether there will be something to do for a container after a
// session, however warm its login is.
func (r *Reconciler) NeedsEngine(container string, idleTimeout time.Duration) bool {
	return idleTimeout > 0 || r.State.Retentions().Has(container)
}

// ReconcileDue begins the work for every container for which something may be due. It
// does not wait: an engine may take its time.
func (r *Reconciler) ReconcileDue() {
	r.jobs.forgetOldQuestions()
	retentions := r.State.Retentions()
	names := retentions.Names()
	if len(names) == 0 {
		return
	}
	sessions := r.State.Sessions().ByContainer()
	for _, name := range names {
		ret, err := retentions.Get(name)
		if err != nil {
			continue // it is being removed
		}
		occupied := slices.ContainsFunc(sessions[name], state.Session.IsLive)
		vacancyKnown := !ret.VacantSince.IsZero()
		due := vacancyKnown && ret.Ephemeral && !time.Now().Before(ret.RemoveAt()) ||
			ret.IdleTimeout > 0 && !occupied && r.jobs.mayAskAgents(name, ret.IdleTimeout)
		if occupied == vacancyKnown || due && !occupied {
			r.begin(name, false)
		}
	}
}

// begin reconciles a container in the background, unless that is under way.
func (r *Reconciler) begin(container string, ended bool) {
	if r.jobs.begin(container) {
		go func() {
			defer r.jobs.end(container)
			r.Reconcile(container, ended)
		}()
	}
}
