package state

import (
	"time"

	"golang.org/x/sys/unix"
)

// Times in files must hold for another broker, and must not jump when the clock of the
// host is set: that would cost a container its time to linger, or keep it for ever. So
// they are written on the clock that runs from boot to boot and stands still while the
// host sleeps, when nobody could log in.

// bootTime returns a time on that clock, in nanoseconds; 0 for the zero time.
func bootTime(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	if n := sinceBoot() - int64(time.Since(t)); n != 0 {
		return n
	}
	return 1
}

// fromBootTime is the inverse. A time in the future is of another boot, and becomes the
// zero time: the next broker that looks writes it again. Taken literally it would never
// be over.
func fromBootTime(n int64) time.Time {
	age := sinceBoot() - n
	if n == 0 || age < 0 {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(age))
}

// sinceBoot returns CLOCK_MONOTONIC in nanoseconds; it cannot fail on Linux.
func sinceBoot() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano()
}
