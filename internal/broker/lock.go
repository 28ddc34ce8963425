package broker

import (
	"context"
	"sync"

	"dockersh/internal/rundir"
)

// locks lets one login at a time make or start a container, among the goroutines
// of this broker and among brokers.
type locks struct {
	mu   sync.Mutex
	held map[rundir.Dir]chan struct{}
}

// lock waits for its turn until ctx ends.
func (l *locks) lock(ctx context.Context, d rundir.Dir) (unlock func(), err error) {
	for {
		l.mu.Lock()
		if l.held == nil {
			l.held = map[rundir.Dir]chan struct{}{}
		}
		other, busy := l.held[d]
		if !busy {
			mine := make(chan struct{})
			l.held[d] = mine
			l.mu.Unlock()
			release := func() {
				l.mu.Lock()
				delete(l.held, d)
				l.mu.Unlock()
				close(mine)
			}
			done, err := d.Lock(ctx)
			if err != nil {
				release()
				return nil, err
			}
			return func() { done(); release() }, nil
		}
		l.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
