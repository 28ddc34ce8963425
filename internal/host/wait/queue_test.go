package wait

import (
	"context"
	"sync"
	"testing"
	"time"
)

func TestQueueKeepsTheOrderOfComing(t *testing.T) {
	var q Queue
	release, err := q.Lock(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order []int
	var all sync.WaitGroup
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			release, err := q.Lock(ctx, "x")
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
			q.mu.Lock()
			n := len(q.waiting["x"])
			q.mu.Unlock()
			if n == want {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if i%3 == 0 {
			cancel()
			for {
				q.mu.Lock()
				n := len(q.waiting["x"])
				q.mu.Unlock()
				if n == i-i/3 {
					break
				}
				time.Sleep(time.Millisecond)
			}
		}
		defer cancel()
	}
	other, err := q.Lock(t.Context(), "y")
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
	if len(order) != 13 || len(q.waiting) != 0 {
		t.Errorf("%d had a turn, %d keys are left", len(order), len(q.waiting))
	}
}
