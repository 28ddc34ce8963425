package wait

import (
	"context"
	"slices"
	"sync"
)

// Queue is a lock for each key within this process, given to waiters in the order in
// which they came. The zero value is ready to use.
type Queue struct {
	mu      sync.Mutex
	waiting map[string][]chan struct{} // a key that is present is taken
}

// Lock waits for the lock of key until ctx ends, and then returns its error.
func (q *Queue) Lock(ctx context.Context, key string) (unlock func(), err error) {
	unlock = func() { q.next(key) }
	q.mu.Lock()
	if q.waiting == nil {
		q.waiting = map[string][]chan struct{}{}
	}
	before, taken := q.waiting[key]
	if !taken {
		q.waiting[key] = nil
		q.mu.Unlock()
		return unlock, nil
	}
	turn := make(chan struct{})
	q.waiting[key] = append(before, turn)
	q.mu.Unlock()
	select {
	case <-turn:
		return unlock, nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	if i := slices.Index(q.waiting[key], turn); i >= 0 {
		q.waiting[key] = slices.Delete(q.waiting[key], i, i+1)
		q.mu.Unlock()
	} else { // the turn came at this moment
		q.mu.Unlock()
		q.next(key)
	}
	return nil, ctx.Err()
}

func (q *Queue) next(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.waiting[key]
	if len(before) == 0 {
		delete(q.waiting, key)
		return
	}
	q.waiting[key] = before[1:]
	close(before[0])
}
