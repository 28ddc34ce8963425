// Package human writes numbers, sizes, times and lists of words for people to read.
package human

import (
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

// Count returns a number with its noun.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// Bytes returns a size in the units of docker's listings, or "-" for a negative one, which
// is unknown.
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

// Age returns a duration in its largest unit, or "-" for a negative one, which is unknown.
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

// Clock returns seconds as h:mm:ss, preceded by the days.
func Clock(seconds float64) string {
	n := int(max(seconds, 0))
	two := func(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }
	clock := strconv.Itoa(n/3600%24) + ":" + two(n/60%60) + ":" + two(n%60)
	if days := n / 86400; days > 0 {
		return strconv.Itoa(days) + "d " + clock
	}
	return clock
}

// ShellWords returns a command line that a shell reads back as these words. Characters
// that are unsafe for a terminal are replaced.
func ShellWords(words []string) string {
	var out []string
	for _, w := range words {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return !strings.ContainsRune("-_=./:,@%+", r) && !isLetterOrDigit(r) }) {
			w = "'" + strings.ReplaceAll(printable.Text(w), "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

func isLetterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// FirstThree returns the first three of many users, and how many there are besides.
func FirstThree(users []string) string {
	const most = 3
	shown := users[:min(most, len(users))]
	text := printable.Text(strings.Join(shown, ", "))
	if n := len(users) - most; n > 0 {
		text += " and " + strconv.Itoa(n) + " more"
	}
	return text
}
