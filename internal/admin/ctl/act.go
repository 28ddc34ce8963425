package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/admin/human"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/root/sessions"
)

const (
	atOnce   = 6               // containers in work: more would only wait for each other in the engine
	actLimit = 2 * time.Minute // for one of them, the wait for its lock included
)

// act is something that is done to containers.
type act struct {
	name, doing string // stop, stopping
	ends        bool   // sessions in them
	limit       time.Duration
	// do has the lock of the container, and tells what was done; found is what there
	// is by now.
	do func(ctx context.Context, b box, d rundir.Dir) (done string, err error)
}

// over does it to all that is meant, some at a time, and goes on where something
// fails; that is told, and errFound the result.
func (a act) over(ctx context.Context, out io.Writer, all []box) error {
	if len(all) == 0 {
		fmt.Fprintln(out, "no containers")
		return nil
	}
	if err := rundir.Make(paths.Run); err != nil {
		return err
	}
	show := progress(a.doing)
	show(0, len(all))
	var mu sync.Mutex
	var work sync.WaitGroup
	finished, bad := 0, false
	places := make(chan struct{}, atOnce)
	for _, b := range all {
		work.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			done, err := a.one(ctx, b)
			mu.Lock()
			defer mu.Unlock()
			finished++
			progress("")(0, 0)
			if err != nil {
				done, bad = "not done: "+reason(err), true
			}
			fmt.Fprintf(out, "%s: %s\n", b.Name, printable.Text(done))
			show(finished, len(all))
		})
	}
	work.Wait()
	if bad {
		return errFound
	}
	return nil
}

// reason is an error in one line, with its hint.
func reason(err error) string {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	var e *usererr.Error
	if errors.As(err, &e) && e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// one does it to one container, and sees to it that the sessions end whose
// container ended.
func (a act) one(ctx context.Context, b box) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, max(a.limit, actLimit))
	defer cancel()
	done, people, err := a.locked(ctx, b)
	if err != nil || !a.ends {
		return done, err
	}
	// They end by themselves, and tell their users why: their agent is gone.
	ended, left := await(people, hangUpLimit)
	for _, d := range hangUp(left) {
		if d.err != nil {
			return done, fmt.Errorf("%s, but session %s is left: %w", done, d.ID, d.err)
		}
		ended++
	}
	if ended > 0 {
		done += ", " + human.Count(ended, "session") + " ended"
	}
	return done, nil
}

// locked does it under the container's lock; people are the sessions that were in
// it.
func (a act) locked(ctx context.Context, b box) (done string, people []sessions.Record, err error) {
	d := rundir.Of(paths.Run, b.Name)
	unlock, err := d.Lock(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return "", nil, usererr.New(usererr.Busy, "a login is making or starting it", "try again", nil)
	}
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	people = liveIn(b.Name)
	done, err = a.do(ctx, b, d)
	return done, people, err
}

// again looks for the container under its lock: since it was listed another may
// have got its name, and that one is not meant. engine.ErrNotFound.
func (b box) again(ctx context.Context) (*engine.Container, error) {
	found, err := b.on.Find(ctx, b.Name)
	if err == nil && found.ID != b.ID {
		err = fmt.Errorf("%w: it was made anew meanwhile", engine.ErrNotFound)
	}
	return found, err
}

// await waits for the end of sessions, at most for so long.
func await(all []sessions.Record, limit time.Duration) (ended int, left []sessions.Record) {
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		left = nil
		for _, r := range all {
			if r.Live() {
				left = append(left, r)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return len(all) - len(left), left
		}
	}
}
