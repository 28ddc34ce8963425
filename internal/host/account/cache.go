package account

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/dockersh/dockersh/internal/host/wait"
)

const (
	maxCached = 4096 // answers of one kind, and as many lookups under way
	maxBusy   = 16   // lookups that run a program at once
)

// cache keeps answers for a while. Callers that ask for the same at once share one
// lookup.
type cache[T any] struct {
	ttl     time.Duration
	busy    chan struct{} // a slot is one lookup
	lookups wait.Group[T]

	mu    sync.Mutex
	all   map[string]answer[T]
	round int // counts how often all was forgotten
}

type answer[T any] struct {
	val   T
	until time.Time
}

// get returns the answer for key, from look unless it is known. look runs with a
// context of its own, because other callers wait for it too.
func (c *cache[T]) get(ctx context.Context, key string, look func(context.Context) (T, error)) (T, error) {
	val, round, ok := c.known(key)
	if ok {
		return val, nil
	}
	if c.lookups.Len() >= maxCached {
		return val, errTooMany
	}
	// A caller after a change of the host's files must not get what was looked up before.
	return c.lookups.Go(ctx, strconv.Itoa(round)+" "+key, func() (T, error) {
		if val, _, ok := c.known(key); ok { // a lookup ended just now
			return val, nil
		}
		val, err := c.look(look)
		if err == nil {
			c.keep(round, key, val)
		}
		return val, err
	})
}

var errTooMany = fmt.Errorf("%w: too many lookups at once", ErrUnavailable)

func (c *cache[T]) known(key string) (val T, round int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.all[key]
	return a.val, c.round, ok && time.Now().Before(a.until)
}

// look waits for a slot and looks up.
func (c *cache[T]) look(look func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.Background(), lookupLimit)
	defer cancel()
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
		return look(ctx)
	case <-ctx.Done():
		var none T
		return none, errTooMany
	}
}

// keep remembers an answer, unless everything was forgotten since it was asked for.
func (c *cache[T]) keep(round int, key string, val T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if round != c.round {
		return
	}
	if c.all == nil {
		c.all = map[string]answer[T]{}
	}
	if len(c.all) >= maxCached {
		c.makeRoom()
	}
	c.all[key] = answer[T]{val, time.Now().Add(c.ttl)}
}

// makeRoom drops answers that no longer count; if there are none, one that does.
func (c *cache[T]) makeRoom() {
	now, some := time.Now(), ""
	for key, a := range c.all {
		some = key
		if now.After(a.until) {
			delete(c.all, key)
		}
	}
	if len(c.all) >= maxCached {
		delete(c.all, some)
	}
}

// forget drops all answers. Callers that wait for a lookup still get its answer.
func (c *cache[T]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = nil
	c.round++
}
