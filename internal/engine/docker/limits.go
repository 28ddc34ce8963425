package docker

import (
	"context"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
)

// SetLimits implements engine.Engine.
func (e *Engine) SetLimits(ctx context.Context, id string, l engine.Limits) error {
	d, err := e.conn.SettledDialect(ctx)
	if err != nil {
		return err
	}
	if d.ForgetsLimits {
		return engine.ErrNoSetLimits
	}
	return dialect.Refusal(e.Program(), e.conn.CallFor(ctx, api.CallLimit, id, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		var to container.Resources
		to.Memory, to.NanoCPUs = l.Memory, l.CPUs
		if l.Pids != 0 {
			to.PidsLimit = &l.Pids
		}
		if h := r.Container.HostConfig; h != nil && l.Memory > 0 && h.MemorySwap == 2*h.Memory {
			to.MemorySwap = 2 * l.Memory // the engine's default, which it sets at the creation alone
		}
		_, err = cli.ContainerUpdate(ctx, id, client.ContainerUpdateOptions{Resources: &to})
		return err
	}))
}

// limits returns the limits of a container.
func limits(h *container.HostConfig) engine.Limits {
	if h == nil {
		return engine.Limits{}
	}
	l := engine.Limits{Memory: h.Memory, CPUs: h.NanoCPUs, Pids: engine.NoPidsLimit}
	if h.PidsLimit != nil && *h.PidsLimit > 0 {
		l.Pids = *h.PidsLimit
	}
	return l
}
