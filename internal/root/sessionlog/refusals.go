package sessionlog

import (
	"context"
	"sync"
	"time"
)

// maxRefused is how many users' refusals are counted for themselves.
const maxRefused = 1024

// Refused names the refusals that are counted together: those of a uid, or of all that have no
// account; and of logins, or of what else a front may not do.
type Refused struct {
	UID   uint32
	All   bool
	Login bool
}

// Refusals counts refusals by user, who can be refused a thousand times a second. The first
// of a user is written at once; those that follow become one line a period, with the last one
// and their number.
type Refusals[T any] struct {
	Period  time.Duration
	Context context.Context // its end is the end of the last period
	Write   func(one T, number int)

	mu    sync.Mutex
	last  map[Refused]*counted[T]
	timer *time.Timer // while there are some
}

// counted is the last of the refusals since the last line, and how many there were.
type counted[T any] struct {
	last   T
	number int
}

// Add writes the first refusal, completed by complete, with the number 0, and counts a further
// one.
func (r *Refusals[T]) Add(whose Refused, one T, complete func(*T)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) >= maxRefused && r.last[whose] == nil {
		whose = Refused{All: true, Login: whose.Login}
	}
	if c := r.last[whose]; c != nil {
		c.last, c.number = one, c.number+1
		return
	}
	if r.last == nil {
		r.last = map[Refused]*counted[T]{}
	}
	r.last[whose] = &counted[T]{}
	if r.timer == nil {
		r.timer = time.AfterFunc(r.Period, r.endPeriod)
	}
	complete(&one)
	r.Write(one, 0)
}

// endPeriod begins the next period, if there is still something to count.
func (r *Refusals[T]) endPeriod() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
	if len(r.last) > 0 && r.Context.Err() == nil {
		r.timer.Reset(r.Period)
	} else {
		r.timer = nil
	}
}

// flush writes what was counted, and forgets users who were refused no more.
func (r *Refusals[T]) flush() {
	for whose, c := range r.last {
		if c.number == 0 {
			delete(r.last, whose)
			continue
		}
		r.Write(c.last, c.number)
		*c = counted[T]{}
	}
}

// Close writes what was counted.
func (r *Refusals[T]) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flush()
}
