package wait

import (
	"context"
	"slices"
	"sync"
)

// Turns are places that go round by owner, which is a number: a free place goes to the
// waiting owner that holds the fewest, and among equals to the one that is next in the
// round. However many callers an owner has, they are one in the round, and have their turns
// in the order of coming.
type Turns struct {
	places, each int

	mu     sync.Mutex
	taken  int
	held   map[uint32]int             // places of each owner
	queues map[uint32][]chan struct{} // callers of each owner that waits
	round  []uint32                   // the owners that wait, the next one first
}

// NewTurns returns that many places, of which one owner gets at most each: the others stay
// free for the next owner to come.
func NewTurns(places, each int) *Turns {
	return &Turns{places: places, each: each, held: map[uint32]int{}, queues: map[uint32][]chan struct{}{}}
}

// Take waits for a place until ctx ends, and then returns its error.
func (t *Turns) Take(ctx context.Context, owner uint32) (release func(), err error) {
	release = sync.OnceFunc(func() { t.release(owner) })
	turn := make(chan struct{})
	t.mu.Lock()
	if t.queues[owner] == nil {
		t.round = append(t.round, owner)
	}
	t.queues[owner] = append(t.queues[owner], turn)
	t.grant()
	t.mu.Unlock()
	select {
	case <-turn:
		return release, nil
	case <-ctx.Done():
	}
	if !t.leave(owner, turn) { // the turn came at this moment
		release()
	}
	return nil, ctx.Err()
}

// leave takes a caller out of its owner's queue; false if it is not in it any more.
func (t *Turns) leave(owner uint32, turn chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := t.queues[owner]
	i := slices.Index(queue, turn)
	if i < 0 {
		return false
	}
	if queue = slices.Delete(queue, i, i+1); len(queue) > 0 {
		t.queues[owner] = queue
		return true
	}
	delete(t.queues, owner)
	t.round = slices.DeleteFunc(t.round, func(o uint32) bool { return o == owner })
	return true
}

func (t *Turns) release(owner uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
	if t.held[owner]--; t.held[owner] == 0 {
		delete(t.held, owner)
	}
	t.grant()
}

// grant gives free places to those that wait.
func (t *Turns) grant() {
	for t.taken < t.places {
		next := -1
		for i, owner := range t.round {
			if t.held[owner] < t.each && (next < 0 || t.held[owner] < t.held[t.round[next]]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		owner := t.round[next]
		t.round = slices.Delete(t.round, next, next+1)
		queue := t.queues[owner]
		close(queue[0])
		t.taken++
		t.held[owner]++
		if len(queue) == 1 {
			delete(t.queues, owner)
			continue
		}
		t.queues[owner] = queue[1:]
		t.round = append(t.round, owner)
	}
}
