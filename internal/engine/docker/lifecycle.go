package docker

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// Start starts a container that is not running, and wakes one that is paused.
// A running one is left alone. ErrNotFound, ErrDown.
func (e *Engine) Start(ctx context.Context, id string) error {
	return e.named(ctx, callLimit, id, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerStart(ctx, id, client.ContainerStartOptions{})
		if err == nil || cerrdefs.IsNotFound(err) || ctx.Err() != nil {
			return err
		}
		// "cannot start a paused container, try unpause instead": looked at
		// only now, so that the usual start is one request.
		r, ierr := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if ierr != nil || r.Container.State == nil || !r.Container.State.Paused {
			return err
		}
		_, err = cli.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

// Stop asks process 1 to end and kills it after grace, which is rounded up to
// seconds. A container that is not running is left alone. ErrNotFound, ErrDown.
func (e *Engine) Stop(ctx context.Context, id string, grace time.Duration) error {
	seconds := int(math.Ceil(max(grace, 0).Seconds()))
	return e.named(ctx, max(grace, 0)+callLimit, id, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &seconds})
		return err
	})
}

// Remove kills and removes the container with its anonymous volumes, and comes
// back when it is gone, also when another removes it just now. ErrNotFound when
// it was gone before, ErrDown.
func (e *Engine) Remove(ctx context.Context, id string) error {
	return e.named(ctx, callLimit, id, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if !cerrdefs.IsConflict(err) {
			return err
		}
		for { // "removal of container ... is already in progress"
			_, gone := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
			if cerrdefs.IsNotFound(gone) {
				return nil
			}
			if wait := pause(ctx, 50*time.Millisecond); wait != nil {
				return fmt.Errorf("%w: %w", wait, err)
			}
		}
	})
}

// Exec starts argv inside, detached and without a terminal, as exactly these
// numbers, with no supplementary group and nothing added to the environment.
// It returns when the program runs; how it ends is not told.
func (e *Engine) Exec(ctx context.Context, id string, uid, gid uint32, argv []string) error {
	if len(argv) == 0 {
		return fmt.Errorf("exec in container %s: no program given", id)
	}
	return e.named(ctx, callLimit, id, func(ctx context.Context, cli *client.Client) error {
		made, err := cli.ExecCreate(ctx, id, client.ExecCreateOptions{
			User: numbers(uid, gid), WorkingDir: "/", Cmd: argv,
		})
		if err != nil {
			return err
		}
		_, err = cli.ExecStart(ctx, made.ID, client.ExecStartOptions{Detach: true})
		return err
	})
}

// named is call for a request about one container.
func (e *Engine) named(ctx context.Context, limit time.Duration, id string, f func(context.Context, *client.Client) error) error {
	if err := checkName(id); err != nil {
		return err
	}
	return e.call(ctx, limit, func(ctx context.Context, cli *client.Client) error {
		return notFound(f(ctx, cli), engine.ErrNotFound)
	})
}

// numbers writes a user as the engine takes it. Both numbers are given: with
// the user's alone the engine would take the groups of the image's /etc/group.
func numbers(uid, gid uint32) string {
	return strconv.FormatUint(uint64(uid), 10) + ":" + strconv.FormatUint(uint64(gid), 10)
}

// pause waits for d, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
