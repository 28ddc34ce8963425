package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/life"
	"github.com/dockersh/dockersh/internal/root/rundir"
)

// stopGrace is how long the processes of a container have to end.
const stopGrace = 10 * time.Second

// lifecycle is a command for whole containers.
func lifecycle(ctx context.Context, out io.Writer, args []string, a operation) error {
	var meant cli.Selection
	if _, err := meant.Parse(args, nil, 0); err != nil {
		return err
	}
	if err := cli.RequireRoot(a.name); err != nil {
		return err
	}
	all, err := selected(ctx, &meant)
	if err != nil && len(all) == 0 {
		return err
	}
	return cli.Join(err, a.over(ctx, out, all))
}

func Stop(ctx context.Context, out io.Writer, args []string) error {
	return lifecycle(ctx, out, args, operation{name: "stop", doing: "stopping", ends: true, do: stopOne})
}

func Start(ctx context.Context, out io.Writer, args []string) error {
	return lifecycle(ctx, out, args, operation{name: "start", doing: "starting", do: startOne})
}

func Restart(ctx context.Context, out io.Writer, args []string) error {
	return lifecycle(ctx, out, args, operation{name: "restart", doing: "restarting", ends: true,
		do: func(ctx context.Context, b Container, d rundir.Dir) (string, error) {
			found, err := b.again(ctx)
			if err == nil {
				err = b.mountable(found, d) // before anybody loses his session
			}
			if err != nil {
				return "", err
			}
			if _, err := stopOne(ctx, b, d); err != nil {
				return "", err
			}
			if _, err := startOne(ctx, b, d); err != nil {
				return "", fmt.Errorf("it is stopped: %w", err)
			}
			return "restarted", nil
		}})
}

// shut does something while no login gets in, and opens the container again. The
// lock is held.
func shut(d rundir.Dir, do func() error) error {
	_, err := life.Alone(d, func() bool { return false }, do)
	return errors.Join(err, d.Open())
}

func stopOne(ctx context.Context, b Container, d rundir.Dir) (string, error) {
	found, err := b.again(ctx)
	if err != nil {
		return "", err
	}
	switch found.State {
	case engine.Created, engine.Exited, engine.Dead:
		return "it does not run", nil
	}
	return "stopped", shut(d, func() error { return b.on.Stop(ctx, found.ID, stopGrace) })
}

func startOne(ctx context.Context, b Container, d rundir.Dir) (string, error) {
	found, err := b.again(ctx)
	if err != nil {
		return "", err
	}
	switch found.State {
	case engine.Running:
		return "it runs", nil
	case engine.Created, engine.Dead:
		return "", usererr.New(usererr.Container, "it was never started, or is dead", "the next login makes it anew", nil)
	}
	if err := b.mountable(found, d); err != nil {
		return "", err
	}
	_, err = life.Start(ctx, b.on, d, found)
	return "started", err
}

// mountable refuses to start a container with a mount that others than root can
// swap: who made it knows whether it may be.
func (b Container) mountable(found *engine.Container, d rundir.Dir) error {
	for _, from := range found.Binds {
		if from == d.Home() || !b.at.Local() {
			continue // put there for the moment of the start; or of another host
		}
		if err := life.Mountable(from); err != nil {
			return err
		}
	}
	return nil
}
