package account

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	maxCached = 4096 // answers, and lookups under way, of one kind
	maxBusy   = 16   // lookups that run a program at once
)

// cache keeps answers for a while and joins those who ask for the same at once.
type cache[T any] struct {
	ttl  time.Duration
	busy chan struct{} // a place is one lookup
	mu   sync.Mutex
	all  map[string]*answer[T]
}

// answer is one lookup; val, err and until count when done is closed.
type answer[T any] struct {
	done  chan struct{}
	val   T
	err   error
	until time.Time
}

func (a *answer[T]) over() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// get returns the answer for key, from f unless it is known. f runs with a
// context of its own, because others wait for it too.
func (c *cache[T]) get(ctx context.Context, key string, f func(context.Context) (T, error)) (T, error) {
	var none T
	a, err := c.join(key, f)
	if err != nil {
		return none, err
	}
	select {
	case <-a.done:
		return a.val, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// join finds the lookup of key or begins it.
func (c *cache[T]) join(key string, f func(context.Context) (T, error)) (*answer[T], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.all[key]; a != nil && (!a.over() || a.err == nil && time.Now().Before(a.until)) {
		return a, nil
	}
	if len(c.all) >= maxCached && !c.makeRoom() {
		return nil, fmt.Errorf("%w: too many lookups at once", ErrUnavailable)
	}
	if c.all == nil {
		c.all = map[string]*answer[T]{}
	}
	a := &answer[T]{done: make(chan struct{})}
	c.all[key] = a
	go c.run(key, a, f)
	return a, nil
}

// run looks up and forgets failures.
func (c *cache[T]) run(key string, a *answer[T], f func(context.Context) (T, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
	defer cancel()
	select {
	case c.busy <- struct{}{}:
		a.val, a.err = f(ctx)
		<-c.busy
	case <-ctx.Done():
		a.err = fmt.Errorf("%w: too many lookups at once", ErrUnavailable)
	}
	a.until = time.Now().Add(c.ttl)
	close(a.done)
	if a.err != nil {
		c.mu.Lock()
		if c.all[key] == a {
			delete(c.all, key)
		}
		c.mu.Unlock()
	}
}

// makeRoom drops answers that count no more and, if there are none, one that
// does. Lookups under way stay: false when there is nothing else.
func (c *cache[T]) makeRoom() bool {
	now := time.Now()
	some, any := "", false
	for key, a := range c.all {
		if !a.over() {
			continue
		}
		some, any = key, true
		if now.After(a.until) {
			delete(c.all, key)
		}
	}
	if any && len(c.all) >= maxCached {
		delete(c.all, some)
	}
	return any
}
