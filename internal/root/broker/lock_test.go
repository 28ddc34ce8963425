package broker

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestTurnsAreInTheOrderOfComing(t *testing.T) {
	var turn turns
	release, err := turn.take(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order []int
	var all sync.WaitGroup
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			release, err := turn.take(ctx, "x")
			if i%3 == 0 {
				if err == nil {
					t.Errorf("%d gave up, and got a turn", i)
				}
				return
			}
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			release()
		})
		want := i - i/3
		if i%3 == 0 {
			want++ // not yet given up
		}
		for { // until it waits
			turn.mu.Lock()
			n := len(turn.waiting["x"])
			turn.mu.Unlock()
			if n == want {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if i%3 == 0 {
			cancel()
			for {
				turn.mu.Lock()
				n := len(turn.waiting["x"])
				turn.mu.Unlock()
				if n == i-i/3 {
					break
				}
				time.Sleep(time.Millisecond)
			}
		}
		defer cancel()
	}
	other, err := turn.take(t.Context(), "y")
	if err != nil {
		t.Fatal(err)
	}
	other()
	release()
	all.Wait()
	for i := 1; i < len(order); i++ {
		if order[i] < order[i-1] {
			t.Fatalf("order %v", order)
		}
	}
	if len(order) != 13 || len(turn.waiting) != 0 {
		t.Errorf("%d had a turn, %d keys are left", len(order), len(turn.waiting))
	}
}

func TestWaitersShareOnePieceOfWork(t *testing.T) {
	var f flights
	begun, finish := make(chan struct{}), make(chan struct{})
	wrong := errors.New("wrong")
	var all sync.WaitGroup
	all.Go(func() {
		if led, err := f.join(t.Context(), "x", func() error { close(begun); <-finish; return wrong }); !led || err != wrong {
			t.Errorf("%v %v", led, err)
		}
	})
	<-begun
	for range 5 {
		all.Go(func() {
			if led, err := f.join(t.Context(), "x", func() error { return nil }); led || err != wrong {
				t.Errorf("%v %v", led, err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.join(ctx, "x", func() error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiter who gave up: %v", err)
	}
	time.Sleep(50 * time.Millisecond) // for the five to wait; those who come later lead, and fail the test
	close(finish)
	all.Wait()
	if led, err := f.join(t.Context(), "x", func() error { return nil }); !led || err != nil {
		t.Errorf("the next piece of work: %v %v", led, err)
	}
}
