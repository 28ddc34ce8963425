package broker

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/life"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// stopGrace is how long the processes of an idle container have to end: agents,
// and process 1 where that is another.
const stopGrace = 10 * time.Second

// longestPause between two questions to a container's agents.
const longestPause = time.Minute

// sample tells whether it is time to ask a container's agents again. What begins
// and ends between two questions is not seen.
func (t *tended) sample(container string, idle time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Sub(t.sampled[container]) < min(idle/10, longestPause) {
		return false
	}
	if t.sampled == nil {
		t.sampled = map[string]time.Time{}
	}
	t.sampled[container] = now
	return true
}

// forget forgets the questions that hold no other one up any more: there are
// containers that never come again.
func (t *tended) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.sampled, func(_ string, at time.Time) bool { return time.Since(at) >= longestPause })
}

// idle stops a container that nobody is in, and in which nothing ran for long
// enough. The lock is held.
func (b *Broker) idle(ctx context.Context, container string, dir rundir.Dir, v rundir.Life) error {
	idle, known := dir.Idle()
	if known && !idle {
		v.Since = time.Now()
		return b.lives.Set(container, v)
	}
	if known && time.Now().Before(v.Since.Add(v.Idle)) {
		return nil
	}
	in := func() bool { return b.inside(container) }
	if alone, err := life.Alone(dir, in, func() error { return b.rest(ctx, container, v, known) }); !alone || err != nil {
		return err
	}
	// It waits for a login now, which notes anew what shall become of it.
	v.Idle = 0
	if !v.Ephemeral {
		return errors.Join(dir.Open(), b.lives.Remove(container))
	}
	return errors.Join(dir.Open(), b.lives.Set(container, v))
}

// rest stops a container; one that has no agent to ask is left alone, be it that
// it does not run.
func (b *Broker) rest(ctx context.Context, container string, v rundir.Life, known bool) error {
	if !known {
		return nil
	}
	e, err := b.engines.get(v.Engine)
	if err != nil {
		return err
	}
	found, err := e.Find(ctx, container)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, ours := policy.OwnerOf(found.Labels); !ours || found.State != engine.Running {
		return nil
	}
	if err := e.Stop(ctx, found.ID, stopGrace); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	b.Log.Info("container stopped", "container", container, "id", found.ID, "why", "idle for "+v.Idle.String())
	return nil
}
