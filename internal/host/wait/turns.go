package wait

import (
	"context"
	"slices"
	"sync"
)

// Turns are slots that go round by user, who is a number: a free slot goes to the waiting
// user who holds the fewest, and among equals to the one who is next in the round. However
// many callers a user has, they are one in the round, and have their turns in the order of
// coming.
type Turns struct {
	slots, each int

	mu     sync.Mutex
	taken  int
	held   map[uint32]int             // slots of each user
	queues map[uint32][]chan struct{} // callers of each user who waits
	round  []uint32                   // the users who wait, the next one first
}

// NewTurns returns that many slots, of which one user gets at most each: the others stay
// free for the next user to come.
func NewTurns(slots, each int) *Turns {
	return &Turns{slots: slots, each: each, held: map[uint32]int{}, queues: map[uint32][]chan struct{}{}}
}

// Acquire waits for a slot until ctx ends, and then returns its error.
func (t *Turns) Acquire(ctx context.Context, user uint32) (release func(), err error) {
	release = sync.OnceFunc(func() { t.release(user) })
	turn := make(chan struct{})
	t.mu.Lock()
	if t.queues[user] == nil {
		t.round = append(t.round, user)
	}
	t.queues[user] = append(t.queues[user], turn)
	t.grant()
	t.mu.Unlock()
	select {
	case <-turn:
		return release, nil
	case <-ctx.Done():
	}
	if !t.leave(user, turn) { // the turn came at this moment
		release()
	}
	return nil, ctx.Err()
}

// Len returns how many slots are taken, and how many callers wait.
func (t *Turns) Len() (taken, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, queue := range t.queues {
		waiting += len(queue)
	}
	return t.taken, waiting
}

// leave removes a caller from its user's queue; false if it is not in it any more.
func (t *Turns) leave(user uint32, turn chan struct{}) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := t.queues[user]
	i := slices.Index(queue, turn)
	if i < 0 {
		return false
	}
	if queue = slices.Delete(queue, i, i+1); len(queue) > 0 {
		t.queues[user] = queue
		return true
	}
	delete(t.queues, user)
	t.round = slices.DeleteFunc(t.round, func(o uint32) bool { return o == user })
	return true
}

func (t *Turns) release(user uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
	if t.held[user]--; t.held[user] == 0 {
		delete(t.held, user)
	}
	t.grant()
}

// grant assigns free slots to those that wait.
func (t *Turns) grant() {
	for t.taken < t.slots {
		next := -1
		for i, user := range t.round {
			if t.held[user] < t.each && (next < 0 || t.held[user] < t.held[t.round[next]]) {
				next = i
			}
		}
		if next < 0 {
			return
		}
		user := t.round[next]
		t.round = slices.Delete(t.round, next, next+1)
		queue := t.queues[user]
		close(queue[0])
		t.taken++
		t.held[user]++
		if len(queue) == 1 {
			delete(t.queues, user)
			continue
		}
		t.queues[user] = queue[1:]
		t.round = append(t.round, user)
	}
}
