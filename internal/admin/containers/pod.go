package containers

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
)

// elsewhere counts the sessions that other login hosts have in containers of a cluster. Those that were
// announced last and whose host is gone may count for a while.
type elsewhere struct {
	known map[engine.Address][]engine.Presence
}

// in returns how many are in a container.
func (s *elsewhere) in(ctx context.Context, c Container) (n int, err error) {
	shared, ok := c.engine.(engine.Shared)
	if !ok || !c.address.IsCluster() {
		return 0, nil
	}
	all, ok := s.known[c.address]
	if !ok {
		if all, err = shared.Presences(ctx); err != nil {
			return 0, err
		}
		if s.known == nil {
			s.known = map[engine.Address][]engine.Presence{}
		}
		s.known[c.address] = all
	}
	host, err := state.RunDir(paths.Run).Host()
	for _, p := range all {
		if p.Container == c.Name && p.Host != host {
			n++
		}
	}
	return n, err
}

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
