// Package background writes what nobody waits to see written: it queues a bounded number
// of items for a slow writer, and counts those that find no room.
package background

import (
	"sync/atomic"
	"time"
)

// Writer writes items one after the other, in a goroutine of its own. Minor items have a
// queue of their own, behind the other: however many there are, they crowd no other out.
type Writer[T any] struct {
	major, minor chan T
	flush        chan chan struct{}
	lost         atomic.Int64

	write      func(T) error
	reportLost func(n int)
}

// New starts a Writer for so many waiting items of each queue. An item whose write fails is
// lost, as one without room is. After a write that succeeds, once there is room again,
// reportLost is called with the number of all that were lost.
func New[T any](major, minor int, write func(T) error, reportLost func(n int)) *Writer[T] {
	w := newWriter(major, minor, write, reportLost)
	go w.run()
	return w
}

func newWriter[T any](major, minor int, write func(T) error, reportLost func(n int)) *Writer[T] {
	return &Writer[T]{
		major: make(chan T, major), minor: make(chan T, minor), flush: make(chan chan struct{}),
		write: write, reportLost: reportLost,
	}
}

// Put queues an item, and never waits.
func (w *Writer[T]) Put(item T) { w.put(item, w.major) }

// PutMinor queues a minor item, and never waits.
func (w *Writer[T]) PutMinor(item T) { w.put(item, w.minor) }

func (w *Writer[T]) put(item T, queue chan T) {
	select {
	case queue <- item:
	default:
		w.lost.Add(1)
	}
}

// Flush waits until the items that are queued now are written, at most for limit.
func (w *Writer[T]) Flush(limit time.Duration) {
	end := time.After(limit)
	done := make(chan struct{})
	select {
	case w.flush <- done:
	case <-end:
		return
	}
	select {
	case <-done:
	case <-end:
	}
}

func (w *Writer[T]) run() {
	for {
		w.drain(w.major)
		select {
		case item := <-w.major:
			w.one(item)
		case item := <-w.minor:
			w.one(item)
		case done := <-w.flush:
			w.drain(w.major)
			w.drain(w.minor)
			close(done)
		}
	}
}

// drain writes what a queue has now.
func (w *Writer[T]) drain(queue chan T) {
	for n := len(queue); n > 0; n-- {
		w.one(<-queue)
	}
}

func (w *Writer[T]) one(item T) {
	if w.write(item) != nil {
		w.lost.Add(1)
		return
	}
	if len(w.major) > cap(w.major)/2 || len(w.minor) > cap(w.minor)/2 {
		return
	}
	if n := w.lost.Swap(0); n > 0 {
		w.reportLost(int(n))
	}
}
