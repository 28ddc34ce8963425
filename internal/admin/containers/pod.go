package containers

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
)

// endPod stops a pod: it has one life, and the next login makes another one.
func (c Container) endPod(ctx context.Context, found *engine.Container, d state.ContainerDir) error {
	_, err := lifecycle.WhileVacant(d, func() bool { return false }, func() error {
		if err := c.engine.Stop(ctx, found.ID, lifecycle.StopGrace); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		return lifecycle.RemoveFromEngine(ctx, c.engine, state.Inventory(paths.Inventory()), found)
	})
	if err != nil {
		return err
	}
	return lifecycle.RemoveState(state.RunDir(paths.Run), c.Name)
}
