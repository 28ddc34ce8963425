package sys

import (
	"runtime"
	"time"
)

// A TimeSlice is for a goroutine that makes one short system call after another, such as one
// that copies.
//
// Once a goroutine has run for 10 ms without yielding, Go's scheduler takes its processor away
// in whichever system call it finds it, looks again every 20 µs, and wakes threads that have
// nothing to do (retake and sysmon in runtime/proc.go, Go 1.26): thousands of calls of futex(2)
// and nanosleep(2) a second. The benchmark shows it.
type TimeSlice struct{ since time.Time }

// sliceLength is well below the 10 ms, since a slice is renewed only between calls.
const sliceLength = 2 * time.Millisecond

// Renew yields to other goroutines if the slice is over, and begins a new one. The first call
// begins one: most sessions end within it, and to yield wakes a thread.
func (s *TimeSlice) Renew() {
	now := time.Now()
	if s.since.IsZero() {
		s.since = now
	}
	if now.Sub(s.since) >= sliceLength {
		runtime.Gosched()
		s.since = now
	}
}
