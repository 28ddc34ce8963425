// Package life is what is done to a container under its lock (rundir.Dir.Lock):
// the steps by which it is started, left alone and taken away, which are the same
// for a broker and for the administrator.
package life

import (
	"context"
	"errors"
	"os"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/root/rundir"
)

// Alone runs do while no login can enter the container, if nobody is in it; in
// tells that. The container is shut afterwards if alone is true and err nil, else
// it is open as before.
//
// First no login finds an agent any more without the lock; then it is looked
// whether one did until now: a login writes its record before it looks for the
// agent, so one of us sees the other.
func Alone(d rundir.Dir, in func() bool, do func() error) (alone bool, err error) {
	if err := d.Shut(); err != nil {
		return false, err
	}
	if in() {
		return false, d.Open()
	}
	if err := do(); err != nil {
		return true, errors.Join(err, d.Open())
	}
	return true, nil
}

// Remove removes a container, which may be gone. One that is paused is woken first:
// what is frozen cannot die, and some engines wait for it a long time.
func Remove(ctx context.Context, e engine.Engine, found *engine.Container) error {
	if found.State == engine.Paused {
		if err := e.Start(ctx, found.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	if err := e.Remove(ctx, found.ID); !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return nil
}

// Forget takes away what was kept of a container that is gone, the entry that says
// what shall become of it last. It may be called again after an end on the way.
func Forget(run, container string) error {
	d := rundir.Of(run, container)
	if _, err := os.Lstat(d.Home()); err == nil { // left by a broker that was killed during a start
		if err := idmap.Unmount(d.Home()); err != nil {
			return err
		}
	}
	return errors.Join(d.Forget(), rundir.LivesOf(run).Remove(container))
}
