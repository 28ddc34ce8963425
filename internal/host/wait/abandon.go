package wait

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"
)

// ErrGivenUp is returned for work that did not end in time, or had no turn by then because
// other work of its user hangs.
var ErrGivenUp = errors.New("no answer in time")

// maxHanging is how much work of one user is under way at a time, and so how much of it
// can hang.
const maxHanging = 2

// Abandonable runs work that may never return, such as a look at a directory whose server
// does not answer, at most maxHanging at a time for each user: no context interrupts it, and
// each takes a thread.
type Abandonable struct {
	turns *Turns
}

// NewAbandonable returns an Abandonable. Users do not wait for each other.
func NewAbandonable() *Abandonable { return &Abandonable{turns: NewTurns(math.MaxInt, maxHanging)} }

// hanging is how much work is under way.
var hanging atomic.Int32

// Hangs reports whether work of this process is under way, and may have been given up.
func Hangs() bool { return hanging.Load() > 0 }

// Do waits for the user's turn and runs work, until it ends, ctx ends, or limit is over;
// ErrGivenUp, or the error of ctx. Work that was given up goes on, and must not write what
// its caller reads.
func (a *Abandonable) Do(ctx context.Context, user uint32, limit time.Duration, work func()) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	release, err := a.turns.Acquire(limited, user)
	if err == nil {
		hanging.Add(1)
		if Until(limited, func() { defer release(); defer hanging.Add(-1); work() }) {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrGivenUp
}
