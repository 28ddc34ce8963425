package broker

import (
	"context"
	"slices"
	"time"

	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/root/sessions"
)

const (
	keepEvery  = 5 * time.Second // how late an end may be noticed that no broker saw
	sweepEvery = 4               // times that; of all records, for those nobody else misses
	tendLimit  = 2 * time.Minute
)

// keep looks after containers until ctx ends: those whose sessions ended while no
// broker was there, those whose time is up, and those that could not be removed
// before.
func (b *Broker) keep(ctx context.Context) {
	if err := rundir.Tidy(b.Run); err != nil {
		b.Log.Error("cannot tidy up", "cause", err)
	}
	go b.recover(ctx)
	for n := 0; ctx.Err() == nil; n++ {
		if n%sweepEvery == 0 {
			b.swept(ctx)
		}
		b.look(ctx)
		pause(ctx, keepEvery)
	}
}

// swept takes away what brokers left that were killed: directories of containers
// that never came to be, and records of sessions. When those ended nobody knows: for
// their containers it was now.
func (b *Broker) swept(ctx context.Context) {
	for _, name := range rundir.Containers(b.Run) {
		b.abandon(name)
	}
	for _, name := range b.sweep(ctx) {
		if _, err := b.lives.Get(name); err == nil && b.tended.begin(name) {
			go func() {
				defer b.tended.end(name)
				b.tendCounted(ctx, name, true)
			}()
		}
	}
}

// abandon takes away the directory of a container that was never made.
func (b *Broker) abandon(container string) {
	dir := rundir.Of(b.Run, container)
	if !dir.Unused() || !b.tended.enter() {
		return
	}
	defer b.tended.work.Done()
	ctx, cancel := context.WithTimeout(b.stop, 20*time.Millisecond)
	defer cancel()
	if release, err := b.hold(ctx, dir); err == nil { // else somebody is at it
		release()
	}
}

// look tends every container for which something may have to be done. It does
// not wait: an engine may take its time.
func (b *Broker) look(ctx context.Context) {
	b.tended.forget()
	names := b.lives.Names()
	if len(names) == 0 {
		return
	}
	people := b.sessions.ByContainer()
	for _, name := range names {
		v, err := b.lives.Get(name)
		if err != nil {
			continue // it is being removed
		}
		inside := slices.ContainsFunc(people[name], sessions.Record.Live)
		over := !v.Since.IsZero() && v.Ephemeral && !time.Now().Before(v.Since.Add(v.Linger)) ||
			v.Idle > 0 && !inside && b.tended.sample(name, v.Idle)
		if inside == v.Since.IsZero() && (inside || !over) {
			continue // it is known who is in, and nothing is due
		}
		if b.tended.begin(name) {
			go func() {
				defer b.tended.end(name)
				b.tendCounted(ctx, name, false)
			}()
		}
	}
}
