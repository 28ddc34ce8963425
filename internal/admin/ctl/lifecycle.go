package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/life"
	"github.com/dockersh/dockersh/internal/root/rundir"
)

// stopGrace is how long the processes of a container have to end.
const stopGrace = 10 * time.Second

// lifecycle is a command for whole containers.
func lifecycle(ctx context.Context, out io.Writer, args []string, a act) error {
	var meant selection
	if _, err := meant.parse(args, nil, 0); err != nil {
		return err
	}
	if err := mustBeRoot(a.name); err != nil {
		return err
	}
	all, err := meant.boxes(ctx)
	if err != nil && len(all) == 0 {
		return err
	}
	return together(err, a.over(ctx, out, all))
}

func stop(ctx context.Context, out io.Writer, args []string) error {
	return lifecycle(ctx, out, args, act{name: "stop", doing: "stopping", ends: true, do: stopOne})
}

func start(ctx context.Context, out io.Writer, args []string) error {
	return lifecycle(ctx, out, args, act{name: "start", doing: "starting", do: startOne})
}

func restart(ctx context.Context, out io.Writer, args []string) error {
	return lifecycle(ctx, out, args, act{name: "restart", doing: "restarting", ends: true,
		do: func(ctx context.Context, b box, d rundir.Dir) (string, error) {
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

func stopOne(ctx context.Context, b box, d rundir.Dir) (string, error) {
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

func startOne(ctx context.Context, b box, d rundir.Dir) (string, error) {
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
func (b box) mountable(found *engine.Container, d rundir.Dir) error {
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

// remover is what rm and reset have in common.
type remover struct {
	name, doing string
	yes, force  bool
}

func reset(ctx context.Context, out io.Writer, args []string) error {
	r := remover{name: "reset", doing: "resetting", force: true}
	return r.run(ctx, out, args, options{"--yes": &r.yes, "-y": &r.yes})
}

func remove(ctx context.Context, out io.Writer, args []string) error {
	r := remover{name: "rm", doing: "removing"}
	return r.run(ctx, out, args, options{"--yes": &r.yes, "-y": &r.yes, "--force": &r.force, "-f": &r.force})
}

func (r *remover) run(ctx context.Context, out io.Writer, args []string, more options) error {
	var meant selection
	if _, err := meant.parse(args, more, 0); err != nil {
		return err
	}
	if err := mustBeRoot(r.name); err != nil {
		return err
	}
	all, err := meant.boxes(ctx)
	if err != nil && len(all) == 0 {
		return err
	}
	if len(all) > 0 && !r.yes {
		if err := r.ask(ctx, all); err != nil {
			return err
		}
	}
	return together(err, act{name: r.name, doing: r.doing, ends: true, do: r.one}.over(ctx, out, all))
}

// ask says what will be lost, and goes on only if that is wanted.
func (r *remover) ask(ctx context.Context, all []box) error {
	people := 0
	for _, b := range all {
		people += len(liveIn(b.Name))
	}
	text := r.name + " removes " + human.Count(len(all), "container") + ", and what is in "
	if len(all) == 1 {
		text = r.name + " removes the container " + all[0].Name + ", and what is in "
	}
	text += "no mounted directory of the host is lost"
	switch {
	case people > 0 && r.force:
		text += "; " + human.Count(people, "session") + " will end"
	case people > 0:
		text += "; containers with " + human.Count(people, "session") + " in them are left"
	}
	return confirm(ctx, text)
}

// one removes a container by the steps of the broker: shut, look who is in,
// remove, forget. A crash on the way leaves what the next holder of the lock
// mends.
func (r *remover) one(ctx context.Context, b box, d rundir.Dir) (string, error) {
	people := 0
	in := func() bool { people = len(liveIn(b.Name)); return people > 0 && !r.force }
	alone, err := life.Alone(d, in, func() error {
		found, err := b.again(ctx)
		if err != nil {
			return err
		}
		return life.Remove(ctx, b.on, found)
	})
	if errors.Is(err, engine.ErrNotFound) {
		return "it is gone", nil
	}
	if err != nil {
		return "", err
	}
	if !alone {
		return "", usererr.New(usererr.Container, human.Count(people, "session")+" in it", "rm --force ends them", nil)
	}
	return "removed", life.Forget(paths.Run, b.Name)
}
