package config

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fill returns a file that is as long as a ~/.dockersh may be.
func fill(line string) string {
	const head = "[dockersh]\n"
	return head + strings.Repeat(line, (MaxUserFile-len(head))/len(line))
}

// readTime returns how much of a processor it takes at best to read a ~/.dockersh.
func readTime(t *testing.T, text string) time.Duration {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	used := func() time.Duration {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
			t.Fatal(err)
		}
		return time.Duration(now.Nano())
	}
	best := time.Hour
	for range 10 {
		start := used()
		_, _ = ParseUser("~/.dockersh", []byte(text))
		best = min(best, used()-start)
	}
	return best
}

// The broker reads the files of all users. A wrong one costs little more than one that has
// nothing but a comment.
func TestNoFileOfAUserIsDear(t *testing.T) {
	plain := readTime(t, fill("#\n"))
	for what, text := range map[string]string{
		"long unknown settings":  fill(strings.Repeat("x", 63) + "\n"),
		"short unknown settings": fill("x\n"),
		"mistyped settings":      fill("imagenamx = x\n"),
		"mistyped sections":      fill("[dockersi]\n"),
		"settings of root":       fill("adopt\n"),
		"wrong values":           fill("mounttmp = x\n"),
		"wrong options":          fill("dockeropt = x\n"),
		"right options":          fill("dockeropt = -v /a:/b\n"),
		"no settings":            fill("=\n"),
		"open quotes":            fill("\"\n"),
		"control characters":     fill("\x01\n"),
		"settings again":         fill("shell = x\n"),
		"sections again":         fill("[dockersh]\n"),
		"a long template":        "[dockersh]\nimagename = " + strings.Repeat("%u", 30_000),
	} {
		if took := readTime(t, text); took > 5*plain {
			t.Errorf("%s: %v instead of %v", what, took, plain)
		}
	}
}

func TestFileOfAUserHasALimitOfSettings(t *testing.T) {
	line := "shell = /bin/sh\n"
	if _, err := ParseUser("own", []byte("[dockersh]\n"+strings.Repeat(line, MaxUserSettings))); err != nil {
		t.Error(err)
	}
	_, err := ParseUser("own", []byte("[dockersh]\n"+strings.Repeat(line, MaxUserSettings+1)))
	if err == nil || err.Error() != "own:1002:1: the file has more than 1000 settings" {
		t.Error(err)
	}
	if _, err := Parse("rc", []byte("[dockersh]\n"+strings.Repeat(line, MaxUserSettings+1))); err != nil {
		t.Errorf("root's: %v", err)
	}
}

func TestValueOfAUsersFileIsAsLongAsAPathAtMost(t *testing.T) {
	for n, want := range map[int]string{MaxUserValue: "", MaxUserValue + 1: "own:2:9: shell: the value is longer than 4096 bytes"} {
		text := []byte("[dockersh]\nshell = /" + strings.Repeat("x", n-1) + "\n")
		_, err := ParseUser("own", text)
		if err != nil && err.Error() != want || err == nil && want != "" {
			t.Errorf("%d bytes: %v", n, err)
		}
		if _, err := Parse("rc", text); err != nil {
			t.Errorf("the administrator's: %v", err)
		}
	}
}
