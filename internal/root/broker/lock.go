package broker

import (
	"context"
	"slices"
	"sync"
)

// turns gives one at a time its turn at a key, in the order they came.
type turns struct {
	mu      sync.Mutex
	waiting map[string][]chan struct{} // a key that is there is taken
}

// take waits for its turn until ctx ends.
func (t *turns) take(ctx context.Context, key string) (release func(), err error) {
	release = func() { t.next(key) }
	t.mu.Lock()
	if t.waiting == nil {
		t.waiting = map[string][]chan struct{}{}
	}
	queue, taken := t.waiting[key]
	if !taken {
		t.waiting[key] = nil
		t.mu.Unlock()
		return release, nil
	}
	mine := make(chan struct{})
	t.waiting[key] = append(queue, mine)
	t.mu.Unlock()
	select {
	case <-mine:
		return release, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	if i := slices.Index(t.waiting[key], mine); i >= 0 {
		t.waiting[key] = slices.Delete(t.waiting[key], i, i+1)
		t.mu.Unlock()
	} else { // it came just now
		t.mu.Unlock()
		t.next(key)
	}
	return nil, ctx.Err()
}

func (t *turns) next(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := t.waiting[key]
	if len(queue) == 0 {
		delete(t.waiting, key)
		return
	}
	t.waiting[key] = queue[1:]
	close(queue[0])
}

// flights lets logins that wait for the same work share one.
type flights struct {
	mu  sync.Mutex
	all map[string]*flight
}

type flight struct {
	done chan struct{}
	err  error
}

// join does the work, or waits until ctx ends for whoever does it already; led
// tells which.
func (f *flights) join(ctx context.Context, key string, work func() error) (led bool, err error) {
	f.mu.Lock()
	if f.all == nil {
		f.all = map[string]*flight{}
	}
	if other, ok := f.all[key]; ok {
		f.mu.Unlock()
		select {
		case <-other.done:
			return false, other.err
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	mine := &flight{done: make(chan struct{})}
	f.all[key] = mine
	f.mu.Unlock()
	mine.err = work()
	f.mu.Lock()
	delete(f.all, key)
	f.mu.Unlock()
	close(mine.done)
	return true, mine.err
}
