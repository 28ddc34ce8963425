package wait

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestKeyHoldsNoMoreThanItsQuota(t *testing.T) {
	q := Quota[string]{Each: 3}
	var taken atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if q.TryAcquire("x") {
				taken.Add(1)
			}
		})
	}
	all.Wait()
	if taken.Load() != 3 {
		t.Errorf("took %d", taken.Load())
	}
	if !q.TryAcquire("y") {
		t.Error("another key has none")
	}
	q.Release("x")
	if !q.TryAcquire("x") || q.TryAcquire("x") {
		t.Error("not one was free after one was released")
	}
	for range 3 {
		q.Release("x")
	}
	q.Release("y")
	if len(q.held) != 0 {
		t.Errorf("left: %v", q.held)
	}
}
