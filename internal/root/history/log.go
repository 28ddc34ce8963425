package history

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// queued is how many records may wait for a slow disk. Beyond that they are
// counted and dropped: no login and no end of a session waits for a disk.
const queued = 1024

// Log writes records in the background.
type Log struct {
	path    string
	log     *slog.Logger
	records chan Record
	flush   chan chan struct{}
	lost    atomic.Int64
}

// Open gives the writer of a file; it tells log, once, that the file cannot be
// written, and when it can be again.
func Open(path string, log *slog.Logger) *Log {
	l := &Log{path: path, log: log, records: make(chan Record, queued), flush: make(chan chan struct{})}
	go l.write()
	return l
}

// Put takes a record, and never waits.
func (l *Log) Put(r Record) {
	select {
	case l.records <- r:
	default:
		l.lost.Add(1)
	}
}

// Close waits until what was Put is written, as far as limit allows.
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
	one := func(r Record) {
		err := Append(l.path, r)
		if err != nil {
			l.lost.Add(1)
		}
		switch {
		case err != nil && !failing:
			l.log.Error("the history of sessions cannot be written", "cause", err)
		case err == nil && l.lost.Load() > 0:
			l.log.Error("records of the history of sessions are lost", "number", l.lost.Swap(0))
		}
		failing = err != nil
	}
	for {
		select {
		case r := <-l.records:
			one(r)
		case done := <-l.flush:
			for n := len(l.records); n > 0; n-- {
				one(<-l.records)
			}
			close(done)
		}
	}
}
