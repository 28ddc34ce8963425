package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/admin/cli"
	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/admin/sessions"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
)

// operationLimit bounds the work on one container, with the wait for its lock.
const operationLimit = 2 * time.Minute

// operation is what a command does to each of its containers.
type operation struct {
	name, doing  string // stop, stopping
	options      cli.Options
	endsSessions bool
	limit        time.Duration // if operationLimit is too short
	// confirm asks before anything is done; nil: nothing is asked.
	confirm func(ctx context.Context, all []Container) error
	// do works on a container, whose lock is held, and returns what it did.
	do func(ctx context.Context, c Container, d state.ContainerDir) (done string, err error)
}

// command is a command whose arguments are a selection of containers.
func (o operation) command(ctx context.Context, env cli.Env, args []string) error {
	var s cli.Selection
	if _, err := s.Parse(args, o.options, 0); err != nil {
		return err
	}
	if err := cli.RequireRoot(o.name); err != nil {
		return err
	}
	all, err := selectContainers(ctx, env.Engines, &s)
	if err != nil && len(all) == 0 {
		return err
	}
	if o.confirm != nil && len(all) > 0 {
		if err := o.confirm(ctx, all); err != nil {
			return err
		}
	}
	return cli.Join(err, o.doAll(ctx, env.Out, all))
}

// doAll works on all containers, some at a time, and goes on where something fails.
// It prints a line for each. The error is cli.ErrReported if one failed.
func (o operation) doAll(ctx context.Context, out io.Writer, all []Container) error {
	if len(all) == 0 {
		fmt.Fprintln(out, "no containers")
		return nil
	}
	if err := state.RunDir(paths.Run).Make(); err != nil {
		return err
	}
	show := cli.Progress(o.doing)
	show(0, len(all))
	var mu sync.Mutex
	finished, failed := 0, false
	cli.ForEach(all, engine.AtOnce, func(_ int, c Container) {
		done, err := o.doOne(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		finished++
		cli.ClearProgress()
		if err != nil {
			done, failed = "not done: "+cli.OneLine(err), true
		}
		fmt.Fprintf(out, "%s: %s\n", c.Name, printable.Text(done))
		show(finished, len(all))
	})
	if failed {
		return cli.ErrReported
	}
	return nil
}

// doOne works on one container, and sees to it that the sessions in it end if it did.
func (o operation) doOne(ctx context.Context, c Container) (done string, err error) {
	ctx, cancel := context.WithTimeout(ctx, max(o.limit, operationLimit))
	defer cancel()
	done, in, err := o.doLocked(ctx, c)
	if err != nil || !o.endsSessions {
		return done, err
	}
	// The sessions end by themselves, and show their users why: their agent is gone.
	ended, err := sessions.AwaitEnd(in)
	if err != nil {
		return done, fmt.Errorf("%s, but %w", done, err)
	}
	if ended > 0 {
		done += ", " + human.Count(ended, "session") + " ended"
	}
	return done, nil
}

// doLocked works on a container under its lock. It returns the sessions that were in
// the container before.
func (o operation) doLocked(ctx context.Context, c Container) (done string, in []state.Session, err error) {
	d := state.RunDir(paths.Run).Container(c.Name)
	unlock, err := d.Lock(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return "", nil, usererr.New(usererr.Busy, "a login is making or starting it",
			"to see which login waits, run: dockershctl sessions", nil)
	}
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	place := lifecycle.Place{Engine: c.engine, Host: c.address.Host, Inventory: state.Inventory(paths.Inventory()), Dir: d}
	if err := place.Recover(ctx); err != nil {
		return "", nil, err
	}
	if !c.isLeft(d) {
		in, _ = c.liveIn(ctx) // those that are not found end by themselves, too
	}
	done, err = o.do(ctx, c, d)
	return done, in, err
}

// current returns the container as it is now, under its lock. Since it was listed,
// another one may have got its name: that is engine.ErrNotFound.
func (c Container) current(ctx context.Context) (*engine.Container, error) {
	found, err := c.engine.Find(ctx, c.Name)
	if err == nil && found.ID != c.ID {
		err = fmt.Errorf("%w: it was recreated meanwhile", engine.ErrNotFound)
	}
	return found, err
}
