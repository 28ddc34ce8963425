package containers

import (
	"context"
	"errors"
	"io"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/life"
	"github.com/dockersh/dockersh/internal/root/rundir"
)

// remover is what rm and reset have in common.
type remover struct {
	name, doing string
	yes, force  bool
}

func Reset(ctx context.Context, out io.Writer, args []string) error {
	r := remover{name: "reset", doing: "resetting", force: true}
	return r.run(ctx, out, args, cli.Options{"--yes": &r.yes, "-y": &r.yes})
}

func Rm(ctx context.Context, out io.Writer, args []string) error {
	r := remover{name: "rm", doing: "removing"}
	return r.run(ctx, out, args, cli.Options{"--yes": &r.yes, "-y": &r.yes, "--force": &r.force, "-f": &r.force})
}

func (r *remover) run(ctx context.Context, out io.Writer, args []string, more cli.Options) error {
	var meant cli.Selection
	if _, err := meant.Parse(args, more, 0); err != nil {
		return err
	}
	if err := cli.RequireRoot(r.name); err != nil {
		return err
	}
	all, err := selected(ctx, &meant)
	if err != nil && len(all) == 0 {
		return err
	}
	if len(all) > 0 && !r.yes {
		if err := r.ask(ctx, all); err != nil {
			return err
		}
	}
	return cli.Join(err, operation{name: r.name, doing: r.doing, ends: true, do: r.one}.over(ctx, out, all))
}

// ask says what will be lost, and goes on only if that is wanted.
func (r *remover) ask(ctx context.Context, all []Container) error {
	people := 0
	for _, b := range all {
		people += len(sessions.In(b.Name))
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
	return cli.Confirm(ctx, text)
}

// one removes a container by the steps of the broker: shut, look who is in,
// remove, forget. A crash on the way leaves what the next holder of the lock
// mends.
func (r *remover) one(ctx context.Context, b Container, d rundir.Dir) (string, error) {
	people := 0
	in := func() bool { people = len(sessions.In(b.Name)); return people > 0 && !r.force }
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
