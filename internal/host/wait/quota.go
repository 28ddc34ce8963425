package wait

import "sync"

// Quota counts what each key holds. It needs no constructor: set Each before the first use.
type Quota[K comparable] struct {
	Each int // how much one key may hold

	mu   sync.Mutex
	held map[K]int // of keys that hold something
}

// TryAcquire adds one to what key holds, until Release; false if key holds Each already.
func (q *Quota[K]) TryAcquire(key K) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held[key] >= q.Each {
		return false
	}
	if q.held == nil {
		q.held = map[K]int{}
	}
	q.held[key]++
	return true
}

// Release ends what TryAcquire began.
func (q *Quota[K]) Release(key K) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held[key]--; q.held[key] == 0 {
		delete(q.held, key)
	}
}
