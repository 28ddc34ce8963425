package docker

import (
	"context"
	"fmt"
	"math"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/engine/docker/networks"
	"github.com/dockersh/dockersh/internal/host/wait"
)

// Start starts a container that is not running, and resumes one that is paused. It
// leaves a running one alone.
func (e *Engine) Start(ctx context.Context, id string) error {
	return dialect.Refusal(e.Program(), e.conn.CallFor(ctx, api.CallLimit, id, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerStart(ctx, id, client.ContainerStartOptions{})
		if attached, aerr := networks.Attach(ctx, e.conn, cli, id, err); attached {
			if aerr != nil {
				return fmt.Errorf("its own network: %w", aerr)
			}
			_, err = cli.ContainerStart(ctx, id, client.ContainerStartOptions{})
		}
		if resumed, rerr := resume(ctx, cli, id, err); resumed {
			return rerr // "cannot start a paused container, try unpause instead"
		}
		return err
	}))
}

// resume resumes a container, if it is paused and a call failed with err: asked
// only then, so that the usual call is one request.
func resume(ctx context.Context, cli *client.Client, id string, err error) (resumed bool, rerr error) {
	if err == nil || cerrdefs.IsNotFound(err) || ctx.Err() != nil {
		return false, nil
	}
	r, ierr := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if ierr != nil || r.Container.State == nil || !r.Container.State.Paused {
		return false, nil
	}
	_, rerr = cli.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
	return true, rerr
}

// Stop asks process 1 to end and kills it after grace, which is rounded up to
// seconds. It leaves a container alone that is not running.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := int(math.Ceil(max(grace, 0).Seconds()))
	return e.conn.CallFor(ctx, max(grace, 0)+api.CallLimit, id, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
		if resumed, rerr := resume(ctx, cli, id, err); resumed && rerr == nil { // Podman stops no paused container
			_, err = cli.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
		}
		return err
	})
}

// Remove kills and removes the container with its anonymous volumes, and returns
// when it is gone, even if another call removes it at the same time.
// engine.ErrNotFound when it was gone before.
func (e *Engine) Remove(ctx context.Context, id string) error {
	return e.conn.CallFor(ctx, api.CallLimit, id, func(ctx context.Context, cli *client.Client) error {
		if r, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{}); err == nil {
			defer networks.RemoveOf(ctx, e.conn, cli, &r.Container)
			if r.Container.Config != nil {
				defer removeVolumes(ctx, cli, r.Container.Config.Labels[engine.LabelVolumes], mounts(r.Container.Mounts))
			}
		}
		_, err := cli.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if !cerrdefs.IsConflict(err) {
			return err
		}
		for { // "removal of container ... is already in progress"
			_, gone := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
			if cerrdefs.IsNotFound(gone) {
				return nil
			}
			wait.Sleep(ctx, 50*time.Millisecond)
			if ctx.Err() != nil {
				return fmt.Errorf("%w: %w", ctx.Err(), err)
			}
		}
	})
}
