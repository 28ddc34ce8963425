package wait

import (
	"context"
	"sync"
)

// Group lets callers that need the same work at the same time share it: at most one piece
// of work is under way for each key. The zero value is ready to use.
//
// It is not golang.org/x/sync/singleflight, which does not report who leads until the
// work is done: callers need to know, where the work belongs to the leader and must not go
// on when the leader has left. Do runs the work on the leader's own goroutine for that; Go
// runs it on another one, and nobody has to stay.
type Group[T any] struct {
	mu  sync.Mutex
	all map[string]*flight[T]
}

// flight is work under way; val and err count when done is closed.
type flight[T any] struct {
	done chan struct{}
	val  T
	err  error
}

// Do runs work, or waits for whoever runs it for this key already, at most until ctx
// ends. led reports whether this call ran it. The result is that of work, or the
// error of ctx.
func (g *Group[T]) Do(ctx context.Context, key string, work func() (T, error)) (val T, led bool, err error) {
	f, led := g.join(key)
	if led {
		g.run(key, f, work)
		return f.val, true, f.err
	}
	val, err = f.wait(ctx)
	return val, false, err
}

// Go waits for work until ctx ends. The work goes on without the caller, for others
// that wait for it or come later.
func (g *Group[T]) Go(ctx context.Context, key string, work func() (T, error)) (T, error) {
	f, led := g.join(key)
	if led {
		go g.run(key, f, work)
	}
	return f.wait(ctx)
}

// Len returns how many keys have work under way.
func (g *Group[T]) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.all)
}

func (g *Group[T]) join(key string) (f *flight[T], led bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.all[key]; f != nil {
		return f, false
	}
	if g.all == nil {
		g.all = map[string]*flight[T]{}
	}
	f = &flight[T]{done: make(chan struct{})}
	g.all[key] = f
	return f, true
}

func (g *Group[T]) run(key string, f *flight[T], work func() (T, error)) {
	f.val, f.err = work()
	g.mu.Lock()
	delete(g.all, key)
	g.mu.Unlock()
	close(f.done)
}

func (f *flight[T]) wait(ctx context.Context) (T, error) {
	select {
	case <-f.done:
		return f.val, f.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
