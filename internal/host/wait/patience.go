package wait

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrGivenUp is returned for work that did not end in time, or was not begun because
// other work of its owner hangs.
var ErrGivenUp = errors.New("no answer in time")

// mostHanging is how much work of one owner may hang at a time.
const mostHanging = 2

// Patience does work that may never end, such as a look at a directory whose server does
// not answer: no context interrupts that, and each takes a thread. The zero value is
// ready.
type Patience struct {
	mu      sync.Mutex
	hanging map[uint32]int // by owner: work that has not ended
}

// Do runs work until it ends, ctx ends, or limit is over; ErrGivenUp, or the error of
// ctx. Work that was given up goes on, and must not write what its caller reads.
func (p *Patience) Do(ctx context.Context, owner uint32, limit time.Duration, work func()) error {
	if !p.begin(owner) {
		return ErrGivenUp
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer p.end(owner)
		work()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
		return nil
	case <-timer.C:
		return ErrGivenUp
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *Patience) begin(owner uint32) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hanging[owner] >= mostHanging {
		return false
	}
	if p.hanging == nil {
		p.hanging = map[uint32]int{}
	}
	p.hanging[owner]++
	return true
}

func (p *Patience) end(owner uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hanging[owner]--; p.hanging[owner] == 0 {
		delete(p.hanging, owner)
	}
}
