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
	"github.com/dockersh/dockersh/internal/root/rundir"
	state "github.com/dockersh/dockersh/internal/root/sessions"
)

const (
	AtOnce   = 6               // containers in work: more would only wait for each other in the engine
	actLimit = 2 * time.Minute // for one of them, the wait for its lock included
)

// act is something that is done to containers.
type operation struct {
	name, doing string // stop, stopping
	ends        bool   // sessions in them
	limit       time.Duration
	// do has the lock of the container, and tells what was done; found is what there
	// is by now.
	do func(ctx context.Context, b Container, d rundir.Dir) (done string, err error)
}

// over does it to all that is meant, some at a time, and goes on where something
// fails; that is told, and cli.ErrReported the result.
func (a operation) over(ctx context.Context, out io.Writer, all []Container) error {
	if len(all) == 0 {
		fmt.Fprintln(out, "no containers")
		return nil
	}
	if err := rundir.Make(paths.Run); err != nil {
		return err
	}
	show := cli.Progress(a.doing)
	show(0, len(all))
	var mu sync.Mutex
	var work sync.WaitGroup
	finished, bad := 0, false
	places := make(chan struct{}, AtOnce)
	for _, b := range all {
		work.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			done, err := a.one(ctx, b)
			mu.Lock()
			defer mu.Unlock()
			finished++
			cli.Progress("")(0, 0)
			if err != nil {
				done, bad = "not done: "+cli.OneLine(err), true
			}
			fmt.Fprintf(out, "%s: %s\n", b.Name, printable.Text(done))
			show(finished, len(all))
		})
	}
	work.Wait()
	if bad {
		return cli.ErrReported
	}
	return nil
}

// one does it to one container, and sees to it that the sessions end whose
// container ended.
func (a operation) one(ctx context.Context, b Container) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, max(a.limit, actLimit))
	defer cancel()
	done, people, err := a.locked(ctx, b)
	if err != nil || !a.ends {
		return done, err
	}
	// They end by themselves, and tell their users why: their agent is gone.
	ended, err := sessions.AwaitEnd(people)
	if err != nil {
		return done, fmt.Errorf("%s, but %w", done, err)
	}
	if ended > 0 {
		done += ", " + human.Count(ended, "session") + " ended"
	}
	return done, nil
}

// locked does it under the container's lock; people are the sessions that were in
// it.
func (a operation) locked(ctx context.Context, b Container) (done string, people []state.Record, err error) {
	d := rundir.Of(paths.Run, b.Name)
	unlock, err := d.Lock(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return "", nil, usererr.New(usererr.Busy, "a login is making or starting it", "try again", nil)
	}
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	people = sessions.In(b.Name)
	done, err = a.do(ctx, b, d)
	return done, people, err
}

// again looks for the container under its lock: since it was listed another may
// have got its name, and that one is not meant. engine.ErrNotFound.
func (b Container) again(ctx context.Context) (*engine.Container, error) {
	found, err := b.on.Find(ctx, b.Name)
	if err == nil && found.ID != b.ID {
		err = fmt.Errorf("%w: it was made anew meanwhile", engine.ErrNotFound)
	}
	return found, err
}
