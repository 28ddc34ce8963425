// Package human writes sizes, ages and numbers for people to read.
package human

import (
	"strconv"
	"time"
)

// Count is a number with its noun.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// Bytes is a size in the units of docker's listings; "-" when it is unknown.
func Bytes(n int64) string {
	if n < 0 {
		return "-"
	}
	f, unit := float64(n), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if f < 1000 {
			break
		}
		f, unit = f/1000, u
	}
	return strconv.FormatFloat(f, 'g', 3, 64) + unit
}

// Age is a time in its largest unit; "-" when it is unknown.
func Age(d time.Duration) string {
	if d < 0 {
		return "-"
	}
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d >= u.d {
			return strconv.Itoa(int(d/u.d)) + u.name
		}
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}
