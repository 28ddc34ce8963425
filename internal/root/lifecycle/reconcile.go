package lifecycle

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// SessionEnded is called when a session is over, however it ended, and its entry is
// removed. Plan is nil if the session never began. With Attend it returns when nothing
// is left to do for the container.
func (r *Reconciler) SessionEnded(container string, plan *policy.Session) {
	if !r.jobs.add() {
		return // the next broker sees it
	}
	defer r.jobs.work.Done()
	if !r.State.Retentions().Has(container) && (plan == nil || plan.IdleTimeout == 0) {
		r.removeUnused(container)
		return // it stays as it is
	}
	if plan != nil {
		r.setIdleTimeout(container, plan)
	}
	r.Reconcile(container, true)
	if r.Attend {
		r.attend(container)
	}
}

// removeUnused removes the directory of a container that was never made.
func (r *Reconciler) removeUnused(container string) {
	if !r.State.Container(container).Unused() || !r.jobs.add() {
		return
	}
	defer r.jobs.work.Done()
	ctx, cancel := context.WithTimeout(r.ctx, 20*time.Millisecond)
	defer cancel()
	if unlock, err := r.Locks.Lock(ctx, container); err == nil { // else another login has it
		unlock() // which removes it
	}
}

// attend is what brokers of one session do in place of a service: one of them stays
// until nothing is left to do for the container, and does what others left undone. The
// others end: a user's logins must not leave more root processes than the user has
// containers.
func (r *Reconciler) attend(container string) {
	retentions := r.State.Retentions()
	for r.ctx.Err() == nil {
		leave, ok := retentions.Attend(container)
		if !ok {
			return
		}
		for r.ctx.Err() == nil {
			ret, err := retentions.Get(container)
			if err != nil { // fs.ErrNotExist, if all is well
				break
			}
			pause := pollInterval
			if ret.Ephemeral {
				pause = min(pause, time.Until(ret.RemoveAt()))
			}
			wait.Sleep(r.ctx, max(100*time.Millisecond, pause))
			r.ReconcileDue()
		}
		leave()
		// A broker that saw us attend until now relies on us.
		if _, err := retentions.Get(container); err != nil {
			return
		}
	}
}

// setIdleTimeout brings the idle timeout up to date: it is as the last login had it.
func (r *Reconciler) setIdleTimeout(container string, plan *policy.Session) {
	idle, retentions := plan.IdleTimeout, r.State.Retentions()
	ret, err := retentions.Get(container)
	if err == nil && ret.IdleTimeout == idle || !plan.Engine.Local() {
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, reconcileLimit)
	defer cancel()
	unlock, err := r.Locks.Lock(ctx, container)
	if err != nil {
		return
	}
	defer unlock()
	if ret, err = retentions.Get(container); err != nil {
		ret = state.Retention{Engine: plan.Engine}
	}
	ret.IdleTimeout = idle
	if err := retentions.Set(container, ret); err != nil {
		r.Log.Error("cannot write the idle timeout", "container", container, "cause", err)
	}
}

// Reconcile does what is due for a container, if nobody is in it. ended reports whether a
// session was in it until now.
func (r *Reconciler) Reconcile(container string, ended bool) {
	ctx, cancel := context.WithTimeout(r.ctx, reconcileLimit)
	defer cancel()
	err := r.reconcileLocked(ctx, container, ended)
	if errors.Is(err, engine.ErrNoClient) {
		r.needsEngine.Store(true)
	} else if ctx.Err() == nil && r.jobs.setFailed(container, err != nil) && err != nil {
		r.Log.Error("cannot stop or remove a container that nobody is in; trying again", "container", container, "cause", err)
	}
}

func (r *Reconciler) reconcileLocked(ctx context.Context, container string, ended bool) error {
	unlock, err := r.Locks.Lock(ctx, container)
	if err != nil {
		return err
	}
	defer unlock()
	retentions := r.State.Retentions()
	ret, err := retentions.Get(container)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another broker was faster
	}
	if err != nil {
		return err
	}
	if r.isOccupied(container) {
		if ret.VacantSince.IsZero() {
			return nil
		}
		ret.VacantSince = time.Time{}
		return retentions.Set(container, ret)
	}
	if ret.VacantSince.IsZero() || ended {
		ret.VacantSince, ret.Login = time.Now(), r.lastLogin(ctx, container, ret)
		if err := retentions.Set(container, ret); err != nil {
			return err
		}
	}
	if ret.Ephemeral && !time.Now().Before(ret.RemoveAt()) {
		return r.removeVacant(ctx, container, ret)
	}
	if ret.IdleTimeout > 0 {
		return r.stopIfIdle(ctx, container, ret)
	}
	return nil
}

// isOccupied reports whether a session is in a container, or a login waits for it.
func (r *Reconciler) isOccupied(container string) bool {
	return r.State.Sessions().IsOccupied(container)
}

// removeVacant removes an ephemeral container. The lock is held.
func (r *Reconciler) removeVacant(ctx context.Context, container string, ret state.Retention) error {
	dir, gone := r.State.Container(container), false
	vacant, err := WhileVacant(dir, func() bool { return r.isOccupied(container) }, func() (err error) {
		gone, err = r.removeEphemeral(ctx, container, ret)
		return err
	})
	switch {
	case !vacant || err != nil:
		return err
	case !gone:
		return errors.Join(r.State.Retentions().Remove(container), dir.Open())
	}
	return RemoveState(r.State, container)
}

// removeEphemeral removes the container that was made to be removed, and none that
// merely has its name by now.
func (r *Reconciler) removeEphemeral(ctx context.Context, container string, ret state.Retention) (gone bool, err error) {
	e, err := r.engineAt(ret.Engine)
	if err != nil {
		return false, err
	}
	made, _ := r.State.Container(container).Made() // without it, its maker is unknown, and all such are one
	release, err := r.removals.Acquire(ctx, made.UID)
	if err != nil {
		return false, err
	}
	defer release()
	found, err := e.Find(ctx, container)
	if errors.Is(err, engine.ErrNotFound) {
		return true, nil // removed by hand, or never made
	}
	if err != nil {
		return false, err
	}
	if _, ok := r.isEphemeral(found); !ok {
		r.Log.Warn("a container that was made to stay has the name of an ephemeral one", "container", container, "id", found.ID)
		return false, nil
	}
	if lingersShared(ret) && ret.Login != lastLoginOf(found) {
		return false, nil // another login host looks after it, or one of us finds it again
	}
	err = RemoveFromEngine(ctx, e, r.Inventory, found)
	if errors.Is(err, engine.ErrInUse) {
		if err := r.withdrawEnded(ctx, e, container); err != nil {
			return false, err
		}
		err = RemoveFromEngine(ctx, e, r.Inventory, found)
	}
	if errors.Is(err, engine.ErrInUse) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.Log.Info("container removed", "container", container, "id", found.ID, "why", "ephemeral")
	return true, nil
}

// isEphemeral reports whether a container is one of ours that goes with its last
// session, and how long it lingers. An administrator who renames such a container keeps
// it, and so does one who starts a container from an image of it.
func (r *Reconciler) isEphemeral(c *engine.Container) (linger time.Duration, ok bool) {
	linger, ok = policy.Ephemeral(c.Labels)
	return linger, ok && c.Name != "" && r.State.Container(c.Name).HasMark(c.Labels[engine.LabelMark])
}
