package history

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// queued is how many events may wait for a slow disk. Further ones are counted and
// dropped: no login and no end of a session waits for a disk.
const queued = 1024

// Log writes events in the background. Refusals have a queue of their own, behind the
// other: however many there are, they crowd no session out.
type Log struct {
	path     string
	log      *slog.Logger
	events   chan Event
	refusals chan Event
	flush    chan chan struct{}
	lost     atomic.Int64
}

// Open returns the writer of a file. It logs once that the file cannot be written, and
// how many events were lost when it can be written again.
func Open(path string, log *slog.Logger) *Log {
	l := &Log{path: path, log: log, events: make(chan Event, queued), refusals: make(chan Event, queued), flush: make(chan chan struct{})}
	go l.write()
	return l
}

// Put queues an event, and never waits.
func (l *Log) Put(e Event) {
	queue := l.events
	if e.Kind == Refused {
		queue = l.refusals
	}
	select {
	case queue <- e:
	default:
		l.lost.Add(1)
	}
}

// Close waits until the queued events are written, at most for limit.
func (l *Log) Close(limit time.Duration) {
	end := time.After(limit)
	done := make(chan struct{})
	select {
	case l.flush <- done:
	case <-end:
		return
	}
	select {
	case <-done:
	case <-end:
	}
}

func (l *Log) write() {
	failing := false
	one := func(e Event) {
		err := Append(l.path, e)
		if err != nil {
			l.lost.Add(1)
		}
		switch {
		case err != nil && !failing:
			l.log.Error("the history of sessions cannot be written", "cause", err)
		case err == nil && l.lost.Load() > 0:
			l.log.Error("events of the history of sessions were lost", "number", l.lost.Swap(0))
		}
		failing = err != nil
	}
	for {
		for n := len(l.events); n > 0; n-- {
			one(<-l.events)
		}
		select {
		case e := <-l.events:
			one(e)
		case e := <-l.refusals:
			one(e)
		case done := <-l.flush:
			for _, queue := range []chan Event{l.events, l.refusals} {
				for n := len(queue); n > 0; n-- {
					one(<-queue)
				}
			}
			close(done)
		}
	}
}
