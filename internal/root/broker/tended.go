package broker

import (
	"sync"
	"time"
)

// tended are the containers that look has in hand, and those that could not be
// removed: the log hears of it once.
type tended struct {
	mu             sync.Mutex
	inHand, failed map[string]bool
	sampled        map[string]time.Time // when agents were asked
	over           bool
	work           sync.WaitGroup
}

// enter counts a piece of work; false after stop.
func (t *tended) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.work.Add(1)
	}
	return !t.over
}

// stop waits for the work that is under way, and lets none begin.
func (t *tended) stop() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.work.Wait()
}

// begin is false if it was begun already, and after stop. Until end it counts as
// work.
func (t *tended) begin(container string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inHand[container] || t.over {
		return false
	}
	t.work.Add(1)
	if t.inHand == nil {
		t.inHand = map[string]bool{}
	}
	t.inHand[container] = true
	return true
}

func (t *tended) end(container string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.inHand, container)
	t.work.Done()
}

// fails tells whether this is news.
func (t *tended) fails(container string, now bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	news := t.failed[container] != now
	if t.failed == nil {
		t.failed = map[string]bool{}
	}
	if now {
		t.failed[container] = true
	} else {
		delete(t.failed, container)
	}
	return news
}
