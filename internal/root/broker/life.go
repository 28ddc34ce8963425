package broker

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/life"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// What happens to a container that nobody is in. Who is in it is decided by the
// records of sessions, and what shall happen by an entry in the directory of
// lives, written when the container was made: both hold across brokers.

// hold takes the lock of a container: in this broker in the order of coming, and
// among brokers. Whoever lets go of it takes the directory away if nothing is in it:
// the container was removed by who had the lock before, or never came to be.
func (b *Broker) hold(ctx context.Context, d rundir.Dir) (release func(), err error) {
	next, err := b.turns.take(ctx, string(d))
	if err != nil {
		return nil, err
	}
	unlock, err := d.Lock(ctx)
	if err != nil {
		next()
		return nil, err
	}
	return func() {
		if _, err := b.lives.Get(d.Container()); errors.Is(err, fs.ErrNotExist) && d.Unused() {
			if err := d.Forget(); err != nil {
				b.Log.Error("cannot tidy up", "container", d.Container(), "cause", err)
			}
		}
		unlock()
		next()
	}, nil
}

// note writes what shall become of the container when it is left, and of what it was
// made: in this order, so that none is noted of that nobody would look for. The lock
// is held.
func (c *cold) note(labels map[string]string, image string) error {
	v := rundir.Life{Engine: c.plan.Engine(), Idle: c.plan.Settings.IdleTimeout}
	v.Linger, v.Ephemeral = policy.Ephemeral(labels)
	var err error
	if v.Ephemeral || v.Idle > 0 {
		err = c.lives.Set(c.plan.Container, v)
	} else {
		err = c.lives.Remove(c.plan.Container)
	}
	if err != nil {
		return err
	}
	owner, _ := policy.OwnerOf(labels)
	return c.dir.SetMade(rundir.Made{UID: owner.UID, Settings: labels[engine.LabelSettings], Image: image, ImageID: labels[engine.LabelImage]})
}

// left is the end of a session, however it came. plan is nil if it never began.
func (b *Broker) left(container string, plan *policy.Plan) {
	if !b.tended.enter() {
		return // the next broker sees it
	}
	defer b.tended.work.Done()
	_, err := b.lives.Get(container)
	if missing := errors.Is(err, fs.ErrNotExist); missing && (plan == nil || plan.Settings.IdleTimeout == 0) {
		b.abandon(container)
		return // it stays as it is
	}
	if plan != nil {
		b.renote(container, plan)
	}
	b.tend(b.stop, container, true)
	if !b.keeping.Load() && b.Engine != nil { // a service looks again in time; and another stays, who saw this coming
		b.stay(container)
	}
}

// stay is what brokers of one session do for a service: one of them stays until
// nothing is left to do for the container, and does what others left undone. Not
// all: a user's logins must not leave more processes of root's than he has
// containers.
func (b *Broker) stay(container string) {
	for b.stop.Err() == nil {
		leave, ok := b.lives.Stay(container)
		if !ok {
			return
		}
		for b.stop.Err() == nil {
			v, err := b.lives.Get(container)
			if err != nil { // fs.ErrNotExist, if all is well
				break
			}
			wait := keepEvery
			if v.Ephemeral {
				wait = min(wait, time.Until(v.Since.Add(v.Linger)))
			}
			pause(b.stop, max(100*time.Millisecond, wait))
			b.look(b.stop)
		}
		leave()
		// One that found us here until now relies on us.
		if _, err := b.lives.Get(container); err != nil {
			return
		}
	}
}

// renote brings idletimeout up to date, which is as the last login had it.
func (b *Broker) renote(container string, plan *policy.Plan) {
	idle := plan.Settings.IdleTimeout
	v, err := b.lives.Get(container)
	if err == nil && v.Idle == idle || !plan.Engine().Local() {
		return
	}
	ctx, cancel := context.WithTimeout(b.stop, tendLimit)
	defer cancel()
	release, err := b.hold(ctx, rundir.Of(b.Run, container))
	if err != nil {
		return
	}
	defer release()
	if v, err = b.lives.Get(container); err != nil {
		v = rundir.Life{Engine: plan.Engine()}
	}
	if v.Idle = idle; v.Ephemeral || idle > 0 {
		err = b.lives.Set(container, v)
	} else {
		err = b.lives.Remove(container)
	}
	if err != nil {
		b.Log.Error("cannot note idletimeout", "container", container, "cause", err)
	}
}

// tend does what has to be done for a container, if nobody is in it; ended says
// that a session was there until now.
func (b *Broker) tend(ctx context.Context, container string, ended bool) {
	if b.tended.enter() {
		defer b.tended.work.Done()
		b.tendCounted(ctx, container, ended)
	}
}

func (b *Broker) tendCounted(ctx context.Context, container string, ended bool) {
	ctx, cancel := context.WithTimeout(ctx, tendLimit)
	defer cancel()
	err := b.tendOnce(ctx, container, ended)
	if errors.Is(err, ErrHandOver) {
		b.untended.Store(true)
	} else if ctx.Err() == nil && b.tended.fails(container, err != nil) && err != nil {
		b.Log.Error("cannot remove a container that nobody is in; trying again", "container", container, "cause", err)
	}
}

func (b *Broker) tendOnce(ctx context.Context, container string, ended bool) error {
	dir := rundir.Of(b.Run, container)
	release, err := b.hold(ctx, dir)
	if err != nil {
		return err
	}
	defer release()
	v, err := b.lives.Get(container)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another broker was faster
	}
	if err != nil {
		return err
	}
	if b.inside(container) {
		if v.Since.IsZero() {
			return nil
		}
		v.Since = time.Time{}
		return b.lives.Set(container, v)
	}
	if v.Since.IsZero() || ended {
		v.Since = time.Now()
		if err := b.lives.Set(container, v); err != nil {
			return err
		}
	}
	if v.Ephemeral && !time.Now().Before(v.Since.Add(v.Linger)) {
		return b.clear(ctx, container, dir, v)
	}
	if v.Idle > 0 {
		return b.idle(ctx, container, dir, v)
	}
	return nil
}

// inside tells whether somebody is in a container, or on his way.
func (b *Broker) inside(container string) bool {
	live, waiting := b.sessions.In(container)
	return live+waiting > 0
}

// clear removes a container that nobody is in. The lock is held.
func (b *Broker) clear(ctx context.Context, container string, dir rundir.Dir, v rundir.Life) error {
	gone := false
	in := func() bool { return b.inside(container) }
	alone, err := life.Alone(dir, in, func() (err error) { gone, err = b.remove(ctx, container, v); return err })
	switch {
	case !alone || err != nil:
		return err
	case !gone:
		return errors.Join(b.lives.Remove(container), dir.Open())
	}
	return life.Forget(b.Run, container)
}

// remove removes the container that was made to be removed, and none that merely
// has its name by now.
func (b *Broker) remove(ctx context.Context, container string, v rundir.Life) (gone bool, err error) {
	e, err := b.engines.get(v.Engine)
	if err != nil {
		return false, err
	}
	select {
	case b.removals <- struct{}{}:
		defer func() { <-b.removals }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	found, err := e.Find(ctx, container)
	if errors.Is(err, engine.ErrNotFound) {
		return true, nil // somebody removed it, or it never came to be
	}
	if err != nil {
		return false, err
	}
	if _, ok := b.passing(found); !ok {
		b.Log.Warn("a container that was made to stay has the name of one that was not", "container", container, "id", found.ID)
		return false, nil
	}
	if err := life.Remove(ctx, e, found); err != nil {
		return false, err
	}
	b.Log.Info("container removed", "container", container, "id", found.ID, "why", "ephemeral")
	return true, nil
}

// passing tells whether a container is one of ours that goes with its last session,
// and after how long. An administrator who renames one keeps it, and so he does who
// starts one from an image of it.
func (b *Broker) passing(c *engine.Container) (linger time.Duration, ok bool) {
	linger, ok = policy.Ephemeral(c.Labels)
	return linger, ok && c.Name != "" && c.Labels[engine.LabelMark] == rundir.Of(b.Run, c.Name).Mark()
}
