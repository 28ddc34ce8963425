package lifecycle

import (
	"context"
	"errors"
	"path"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/root/state"
)

// recoverPauses are the pauses between searches for what a killed broker had requested of
// an engine; no request takes longer than their sum.
var recoverPauses = [...]time.Duration{0, pollInterval, 10 * time.Second, 20 * time.Second, time.Minute}

// keepRecovering recovers what is left on each engine that the settings name.
func (r *Reconciler) keepRecovering() {
	all, err := r.AllEngines()
	for ; err != nil && r.ctx.Err() == nil; all, err = r.AllEngines() {
		wait.Sleep(r.ctx, pollInterval)
	}
	for _, at := range all { // none waits for another, which may be down for ever
		go r.keepRecoveringFrom(at)
	}
}

// keepRecoveringFrom asks until the engine answers, and again later: the engine finishes
// what a broker had asked for before it was killed.
func (r *Reconciler) keepRecoveringFrom(at engine.Address) {
	if at.IsCluster() {
		go r.watchPresences(at)
	}
	for _, pause := range recoverPauses {
		wait.Sleep(r.ctx, pause)
		for again := pollInterval; r.ctx.Err() == nil && r.RecoverFrom(at) != nil; again = min(2*again, maxAgain) {
			wait.Sleep(r.ctx, again)
		}
	}
	if at.IsCluster() {
		r.watchShared(at)
	}
}

// maxAgain is the longest pause between two attempts: one may list all containers of an engine.
const maxAgain = time.Minute

// RecoverFrom writes retention entries for ephemeral containers that have none: the host was
// restarted, and the entries are gone. It removes the probes that killed brokers left. What fails
// for one container keeps no other one from it.
func (r *Reconciler) RecoverFrom(at engine.Address) error {
	e, err := r.Engines.Get(at)
	if err != nil {
		return err
	}
	errs := []error{r.recoverCarried(e, at), r.removeLayers(e, at)}
	present, err := r.presentOn(e, at)
	if err != nil {
		return err
	}
	all, err := e.List(r.ctx, false)
	for _, c := range all {
		if isPresent(present, c.Name) {
			continue // its login host looks after it
		}
		if ok, probeErr := r.RemoveProbe(r.ctx, e, c); ok {
			errs = append(errs, probeErr)
			continue
		}
		errs = append(errs, r.recoverEphemeral(c, at))
	}
	return errors.Join(append(errs, err)...)
}

func (r *Reconciler) recoverEphemeral(c *engine.Container, at engine.Address) error {
	linger, ok := r.isEphemeral(c)
	if !ok || r.State.Retentions().Has(c.Name) {
		return nil
	}
	return r.whileLocked(c.Name, func(context.Context, state.ContainerDir) error {
		if r.State.Retentions().Has(c.Name) {
			return nil
		}
		return r.State.Retentions().Set(c.Name, state.Retention{Engine: at, Ephemeral: true, Linger: linger})
	})
}

// recoverCarried ends or undoes what killed brokers left of containers that were carried over.
func (r *Reconciler) recoverCarried(e engine.Engine, at engine.Address) error {
	var errs []error
	for _, name := range r.Inventory.Carried() {
		if s, ok := r.Inventory.Get(name); ok && engine.SameHost(s.Engine, at.Host) {
			errs = append(errs, r.whileLocked(name, func(ctx context.Context, dir state.ContainerDir) error {
				return Place{Engine: e, Host: at.Host, Inventory: r.Inventory, Dir: dir}.recover(ctx)
			}))
		}
	}
	return errors.Join(errs...)
}

// removeLayers removes images that were made for containers which are gone, or never came.
func (r *Reconciler) removeLayers(e engine.Engine, at engine.Address) error {
	if r.Inventory == "" || !at.Local() {
		return nil
	}
	marks, err := e.LayerMarks(r.ctx)
	errs := []error{err}
	for _, mark := range marks {
		name := path.Base(mark)
		if !r.State.Container(name).HasMark(mark) {
			continue // another broker's
		}
		errs = append(errs, r.whileLocked(name, func(ctx context.Context, _ state.ContainerDir) error { return e.RemoveLayers(ctx, mark) }))
	}
	return errors.Join(errs...)
}

// lockLimit is how long the recovery waits for the lock of one container. A login may hold it
// while an image is pulled, and others are to be recovered meanwhile.
const lockLimit = 2 * time.Second

// whileLocked runs do under the lock of a container, for recoverLimit at most.
func (r *Reconciler) whileLocked(container string, do func(context.Context, state.ContainerDir) error) error {
	limited, cancel := context.WithTimeout(r.ctx, lockLimit)
	defer cancel()
	unlock, err := r.Locks.Lock(limited, container)
	if err != nil {
		return err
	}
	defer unlock()
	ctx, cancelWork := context.WithTimeout(r.ctx, recoverLimit)
	defer cancelWork()
	return do(ctx, r.State.Container(container))
}
