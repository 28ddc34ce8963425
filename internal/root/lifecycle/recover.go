package lifecycle

import (
	"errors"
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
