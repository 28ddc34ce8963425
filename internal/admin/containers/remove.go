package containers

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/presence"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
)

// remover is what rm and reset have in common.
type remover struct {
	name, doing string
	yes         bool // do not ask
	force       bool // end the sessions in the containers
}

// Reset is the command reset.
func Reset(ctx context.Context, env cli.Env, args []string) error {
	r := remover{name: "reset", doing: "resetting", force: true}
	return r.command(ctx, env, args, cli.Options{})
}

// Rm is the command rm.
func Rm(ctx context.Context, env cli.Env, args []string) error {
	r := remover{name: "rm", doing: "removing"}
	return r.command(ctx, env, args, cli.Options{"--force": &r.force, "-f": &r.force})
}

func (r *remover) command(ctx context.Context, env cli.Env, args []string, options cli.Options) error {
	options["--yes"], options["-y"] = &r.yes, &r.yes
	o := operation{name: r.name, doing: r.doing, options: options, endsSessions: true, confirm: r.confirm, do: r.removeOne}
	return o.command(ctx, env, args)
}

// confirm shows what will be lost, and asks.
func (r *remover) confirm(ctx context.Context, all []Container) error {
	if r.yes {
		return nil
	}
	in, others := 0, &elsewhere{}
	for _, c := range all {
		live, _ := c.liveIn(ctx) // removeOne looks again
		away, _ := others.in(ctx, c)
		in += len(sessions.Shown(live)) + away
	}
	what := human.Count(len(all), "container")
	if len(all) == 1 {
		what = "the container " + all[0].Name
	}
	text := r.name + " removes " + what + ", and all files that are not in a mounted directory of the host"
	switch {
	case in > 0 && r.force:
		text += "; " + human.Count(in, "session") + " will end"
	case in > 0:
		text += "; containers with " + human.Count(in, "session") + " in them will stay"
	}
	return cli.Confirm(ctx, text)
}

// removeOne removes a container by the same steps as a broker. If it is killed on the
// way, the next holder of the lock finishes or undoes what it began.
func (r *remover) removeOne(ctx context.Context, c Container, d state.ContainerDir) (string, error) {
	if c.isLeft(d) { // nobody is in it, and what is known is of another one
		err := c.remove(ctx, "")
		if errors.Is(err, engine.ErrNotFound) {
			return "gone already", nil
		}
		return "removed", err
	}
	in := 0
	var unknown error
	occupied := func() bool {
		var live []state.Session
		live, unknown = c.liveIn(ctx)
		away, err := (&elsewhere{}).in(ctx, c)
		unknown = errors.Join(unknown, err)
		in = len(sessions.Shown(live)) + away
		return (in > 0 || unknown != nil) && !r.force
	}
	if !r.force && c.address.IsCluster() {
		host, err := state.RunDir(paths.Run).Host()
		if err != nil {
			return "", err
		}
		c.engine = presence.Careful(c.engine, c.address, host)
	}
	alone, err := lifecycle.WhileVacant(d, occupied, func() error { return c.remove(ctx, state.Inventory(paths.Inventory())) })
	if errors.Is(err, engine.ErrNotFound) {
		return "gone already", nil
	}
	if err != nil {
		return "", err
	}
	if !alone && unknown != nil {
		return "", usererr.New(usererr.Unavailable, unknown.Error(),
			"to end the sessions that may be in it, run: dockershctl rm --force "+c.Name, nil)
	}
	if !alone {
		return "", usererr.New(usererr.Container, human.Count(in, "session")+" in it",
			"to end them, run: dockershctl rm --force "+c.Name, nil)
	}
	return "removed", lifecycle.RemoveState(state.RunDir(paths.Run), c.Name)
}

// remove removes the container from its engine, with what a carry-over left beside it.
func (c Container) remove(ctx context.Context, inventory state.Inventory) error {
	found, err := c.current(ctx)
	if err != nil {
		return err
	}
	if err := lifecycle.RemoveOld(ctx, c.engine, found); err != nil {
		return err
	}
	return lifecycle.RemoveFromEngine(ctx, c.engine, inventory, found)
}
