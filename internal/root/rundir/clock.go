package rundir

import (
	"time"

	"golang.org/x/sys/unix"
)

// What is kept of a time must hold for another broker, and must not jump when
// somebody sets the clock of the host: it would cost a container its time to
// linger, or keep it for ever. So it is written by the clock that runs from boot to
// boot and stands still while the machine sleeps, when nobody could log in.

// stamp is a time by that clock; 0 for the zero time.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if n := sinceBoot() - int64(time.Since(t)); n != 0 {
		return n
	}
	return 1
}

// unstamp reads it. A time that is yet to come is of another boot, and none: whoever
// looks writes it anew. (Taken for now it would never be over.)
func unstamp(n int64) time.Time {
	age := sinceBoot() - n
	if n == 0 || age < 0 {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(age))
}

// sinceBoot is that clock, in nanoseconds; it cannot fail on Linux.
func sinceBoot() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}
