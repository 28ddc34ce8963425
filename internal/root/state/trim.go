package state

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// BeginTrim is called by a broker that is to look for recordings that take too much space; ok is
// false if another one does, or did a moment ago. The caller calls end with the pause until the next
// time, of which maxTrimPause counts at most.
func (d RunDir) BeginTrim() (end func(pause time.Duration), ok bool) {
	fd, err := openLocked(string(d) + "/trim")
	if err != nil {
		return nil, false
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	// The file has the time of the next time. One that is too far away was set before the clock was.
	now, next := time.Now(), time.Unix(st.Mtim.Unix())
	if err != nil || next.After(now) && next.Before(now.Add(maxTrimPause)) {
		_ = unix.Close(fd)
		return nil, false
	}
	return func(pause time.Duration) {
		next := unix.NsecToTimeval(time.Now().Add(min(pause, maxTrimPause)).UnixNano())
		_ = unix.Futimes(fd, []unix.Timeval{next, next})
		_ = unix.Close(fd)
	}, true
}

const maxTrimPause = time.Hour

// AnyRecorded reports whether a session is recorded.
func (d Sessions) AnyRecorded() bool {
	f, err := os.Open(string(d))
	if err != nil {
		return false
	}
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		if id, ok := strings.CutSuffix(name, castSuffix); ok && !strings.Contains(id, ".") { // else an entry
			return true
		}
	}
	return false
}
