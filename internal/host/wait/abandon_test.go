package wait

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestWorkThatHangsIsGivenUpAndHoldsUpItsUserAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewAbandonable()
		end := make(chan struct{})
		for range maxHanging {
			if err := p.Do(t.Context(), 1, time.Second, func() { <-end }); !errors.Is(err, ErrGivenUp) {
				t.Errorf("hanging work: %v", err)
			}
		}
		if err := p.Do(t.Context(), 1, time.Second, func() { t.Error("begun beside") }); !errors.Is(err, ErrGivenUp) {
			t.Errorf("more work of the same user: %v", err)
		}
		if err := p.Do(t.Context(), 2, time.Second, func() {}); err != nil {
			t.Errorf("another user: %v", err)
		}
		if !Hangs() {
			t.Error("nothing hangs")
		}
		close(end)
		synctest.Wait()
		if Hangs() {
			t.Error("after its end it hangs")
		}
		if err := p.Do(t.Context(), 1, time.Second, func() {}); err != nil {
			t.Errorf("after what hung has ended: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Do(ctx, 3, time.Minute, func() { time.Sleep(time.Second) }); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that has gone: %v", err)
		}
		time.Sleep(time.Second)
	})
}

// Nothing hangs: a user has just logged in with all terminals at once.
func TestShortWorkOfOneUserWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewAbandonable()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := p.Do(t.Context(), 1, time.Second, func() { time.Sleep(10 * time.Millisecond) }); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}
