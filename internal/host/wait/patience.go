package wait

import (
	"context"
	"errors"
	"math"
	"time"
)

// ErrGivenUp is returned for work that did not end in time, or had no turn by then because
// other work of its owner hangs.
var ErrGivenUp = errors.New("no answer in time")

// maxHanging is how much work of one owner is under way at a time, and so how much of it
// can hang.
const maxHanging = 2

// Patience does work that may never end, such as a look at a directory whose server does
// not answer: no context interrupts that, and each takes a thread.
type Patience struct {
	turns *Turns
}

// NewPatience returns a Patience. Owners do not wait for each other.
func NewPatience() *Patience { return &Patience{turns: NewTurns(math.MaxInt, maxHanging)} }

// Do waits for the owner's turn and runs work, until it ends, ctx ends, or limit is over;
// ErrGivenUp, or the error of ctx. Work that was given up goes on, and must not write what
// its caller reads.
func (p *Patience) Do(ctx context.Context, owner uint32, limit time.Duration, work func()) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if release, err := p.turns.Acquire(limited, owner); err == nil {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			defer release()
			work()
		}()
		select {
		case <-ended:
			return nil
		case <-limited.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrGivenUp
}
