package lifecycle

import (
	"context"
	"errors"
	"os"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// The steps that are the same for a broker and for dockershctl. The caller holds the
// container's lock (state.ContainerDir.Lock).

// WhileVacant runs do while no login can enter the container, if occupied reports that
// nobody is in it. Afterwards the container is shut if vacant is true and err nil, else
// it is open as before.
//
// First the container is shut, so that no login finds an agent without the lock; then
// occupied is asked. A login writes its session entry before it looks for the agent, so
// one of the two sees the other.
func WhileVacant(c state.ContainerDir, occupied func() bool, do func() error) (vacant bool, err error) {
	if err := c.Shut(); err != nil {
		return false, err
	}
	if occupied() {
		return false, c.Open()
	}
	if err := do(); err != nil {
		return true, errors.Join(err, c.Open())
	}
	return true, nil
}

// RemoveFromEngine removes a container, which may be gone, and its entry in the inventory.
// A paused one is resumed first: frozen processes cannot die, and some engines wait for
// them a long time.
func RemoveFromEngine(ctx context.Context, e engine.Engine, inventory state.Inventory, found *engine.Container) error {
	if err := inventory.Remove(found.Name); err != nil {
		return err
	}
	if found.State == engine.Paused {
		if err := e.Start(ctx, found.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	if err := e.Remove(ctx, found.ID); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	mark := found.Labels[engine.LabelMark]
	if _, ephemeral := policy.Ephemeral(found.Labels); !ephemeral && mark != "" {
		// A broker may have been killed while the engine made the first image of it.
		_ = e.RemoveLayers(ctx, mark) // else at the next start of the service
	}
	return nil
}

// RemoveState removes what was kept of a container that is gone. After an interruption
// it can be called again.
func RemoveState(run state.RunDir, container string) error {
	home := run.Container(container).Home()
	if _, err := os.Lstat(home); err == nil { // left by a broker that was killed during a start
		if err := idmap.Unmount(home); err != nil {
			return err
		}
	}
	return run.RemoveContainer(container)
}
