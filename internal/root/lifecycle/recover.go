package lifecycle

import (
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
	for _, pause := range recoverPauses {
		wait.Sleep(r.ctx, pause)
		for r.ctx.Err() == nil && r.RecoverFrom(at) != nil {
			wait.Sleep(r.ctx, pollInterval)
		}
	}
}

// RecoverFrom writes retention entries for ephemeral containers that have none: the host was
// restarted, and the entries are gone. It removes the probes that killed brokers left.
func (r *Reconciler) RecoverFrom(at engine.Address) error {
	e, err := r.Engines.Get(at)
	if err != nil {
		return err
	}
	if err := errors.Join(r.recoverCarried(e, at), r.removeLayers(e, at)); err != nil {
		return err
	}
	all, err := e.List(r.ctx, false)
	if err != nil {
		return err
	}
	for _, c := range all {
		if ok, probeErr := r.RemoveProbe(r.ctx, e, c); ok {
			err = errors.Join(err, probeErr)
			continue
		}
		if err := r.recoverEphemeral(c, at); err != nil {
			return err
		}
	}
	return err
}

func (r *Reconciler) recoverEphemeral(c *engine.Container, at engine.Address) error {
	linger, ok := r.isEphemeral(c)
	if !ok || r.State.Retentions().Has(c.Name) {
		return nil
	}
	unlock, err := r.Locks.Lock(r.ctx, c.Name)
	if err != nil {
		return err
	}
	defer unlock()
	if r.State.Retentions().Has(c.Name) {
		return nil
	}
	return r.State.Retentions().Set(c.Name, state.Retention{Engine: at, Ephemeral: true, Linger: linger})
}

// recoverCarried ends or undoes what killed brokers left of containers that were carried over.
func (r *Reconciler) recoverCarried(e engine.Engine, at engine.Address) error {
	var errs []error
	for _, name := range r.Inventory.Carried() {
		if s, ok := r.Inventory.Get(name); ok && s.Engine == at.Host {
			errs = append(errs, r.whileLocked(name, func(dir state.ContainerDir) error {
				return Place{Engine: e, Host: at.Host, Inventory: r.Inventory, Dir: dir}.Recover(r.ctx)
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
		errs = append(errs, r.whileLocked(name, func(state.ContainerDir) error { return e.RemoveLayers(r.ctx, mark) }))
	}
	return errors.Join(errs...)
}

func (r *Reconciler) whileLocked(container string, do func(state.ContainerDir) error) error {
	unlock, err := r.Locks.Lock(r.ctx, container)
	if err != nil {
		return err
	}
	defer unlock()
	return do(r.State.Container(container))
}
