package account

import (
	"context"
	"errors"
	"sync"
	"time"
)

// DB looks users up, and remembers the answers for a while: many logins of one
// user are one question.
type DB struct {
	users  cache[uint32, User]
	names  cache[string, User]
	groups cache[string, []Group]
}

// New makes a DB that remembers for ttl.
func New(ttl time.Duration) *DB {
	d := &DB{}
	d.users.ttl, d.names.ttl, d.groups.ttl = ttl, ttl, ttl
	return d
}

// ByUID gives the user of a number: ErrUnknown or ErrUnavailable else. Where
// several names share a number, the name service says which.
func (d *DB) ByUID(ctx context.Context, uid uint32) (User, error) {
	return d.users.get(ctx, uid, lookupUID)
}

// ByName gives the user of a name: ErrUnknown or ErrUnavailable else.
func (d *DB) ByName(ctx context.Context, name string) (User, error) {
	return d.names.get(ctx, name, lookupName)
}

// Groups gives all groups of a user, the primary one first.
func (d *DB) Groups(ctx context.Context, u User) ([]Group, error) {
	return d.groups.get(ctx, u.Name, func(ctx context.Context, _ string) ([]Group, error) { return lookupGroups(ctx, u) })
}

// MemberOf tells whether group is one of the user's.
func (d *DB) MemberOf(ctx context.Context, u User, group string) (bool, error) {
	all, err := d.Groups(ctx, u)
	if err != nil {
		return false, err
	}
	for _, g := range all {
		if g.Name == group {
			return true, nil
		}
	}
	return false, nil
}

// most is how many answers one cache keeps.
const most = 10000

// cache remembers answers, and asks once for all who wait for the same one. A
// failed look-up is not remembered.
type cache[K comparable, V any] struct {
	ttl time.Duration
	mu  sync.Mutex
	all map[K]*answer[V]
}

type answer[V any] struct {
	done  chan struct{}
	value V
	err   error
	until time.Time
}

func (c *cache[K, V]) get(ctx context.Context, key K, ask func(context.Context, K) (V, error)) (V, error) {
	for {
		c.mu.Lock()
		a, ok := c.all[key]
		if ok && (a.until.IsZero() || time.Now().Before(a.until)) {
			c.mu.Unlock()
			select {
			case <-a.done:
			case <-ctx.Done():
				return *new(V), errors.Join(ErrUnavailable, ctx.Err())
			}
			if errors.Is(a.err, context.Canceled) && ctx.Err() == nil {
				continue // whoever asked gave up; we have not
			}
			return a.value, a.err
		}
		if c.all == nil || len(c.all) >= most {
			c.all = map[K]*answer[V]{} // whoever waits has his answer's channel
		}
		a = &answer[V]{done: make(chan struct{})}
		c.all[key] = a
		c.mu.Unlock()
		a.value, a.err = ask(ctx, key)
		c.mu.Lock()
		a.until = time.Now().Add(c.ttl)
		if a.err != nil && c.all[key] == a {
			delete(c.all, key)
		}
		c.mu.Unlock()
		close(a.done)
		return a.value, a.err
	}
}
