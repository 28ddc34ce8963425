package lifecycle

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// StopGrace is how long the processes of a container that is stopped have to end: agents, and
// process 1 where that is not ours.
const StopGrace = 10 * time.Second

// stopIfIdle stops a container that nobody is in, and in which nothing ran for long
// enough. The lock is held.
func (r *Reconciler) stopIfIdle(ctx context.Context, container string, ret state.Retention) error {
	dir, retentions := r.State.Container(container), r.State.Retentions()
	idle, known := IsIdle(dir)
	if known && !idle {
		ret.VacantSince = time.Now()
		return retentions.Set(container, ret)
	}
	if known && time.Now().Before(ret.VacantSince.Add(ret.IdleTimeout)) {
		return nil
	}
	vacant, err := WhileVacant(dir, func() bool { return r.isOccupied(container) }, func() error {
		if !known {
			return nil // no agent to ask: it may not run at all
		}
		return r.stop(ctx, container, ret)
	})
	if !vacant || err != nil {
		return err
	}
	ret.IdleTimeout = 0 // until the next login, which writes it again
	return errors.Join(dir.Open(), retentions.Set(container, ret))
}

func (r *Reconciler) stop(ctx context.Context, container string, ret state.Retention) error {
	e, err := r.Engines.Get(ret.Engine)
	if err != nil {
		return err
	}
	found, err := e.Find(ctx, container)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, ours := policy.OwnerOf(found.Labels); !ours || found.State != engine.Running {
		return nil
	}
	if err := e.Stop(ctx, found.ID, StopGrace); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	r.Log.Info("container stopped", "container", container, "id", found.ID, "why", "idle for "+ret.IdleTimeout.String())
	return nil
}

// IsIdle asks the container's agents whether anything runs there that somebody started.
// Each agent sees all processes of the container; one that does not answer, or reports that
// something runs, is believed, so a user's agent can lie about its own user's processes
// only. Known is false if there is no agent to ask.
func IsIdle(c state.ContainerDir) (idle, known bool) {
	for _, path := range c.AgentSockets() {
		agent, err := agentclient.Dial(path)
		if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOENT) {
			continue // it has ended
		}
		known = true
		n := uint32(1)
		if err == nil {
			n, err = agent.CountProcesses()
			_ = agent.Close()
		}
		if err != nil || n > 0 {
			return false, true // the others are not waited for: a user can have many, and stop all
		}
	}
	return known, known
}
