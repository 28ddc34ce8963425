package state

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// BeginTrim is called by a broker that is to look for recordings that take too much space; ok is
// false if another one does, or did a moment ago. What is left of the pause after that is waited
// for if it is not more than patience; nobody else looks then. The next look comes after pause at
// the earliest, even if this broker is killed, or after that with which the caller calls end.
func (d RunDir) BeginTrim(pause, patience time.Duration) (end func(pause time.Duration), ok bool) {
	fd, err := openLocked(string(d) + "/trim")
	if err != nil {
		return nil, false
	}
	wait, err := trimPause(fd)
	if err != nil || wait > patience {
		_ = unix.Close(fd)
		return nil, false
	}
	time.Sleep(wait)
	setTrimPause(fd, pause)
	return func(pause time.Duration) {
		setTrimPause(fd, pause)
		_ = unix.Close(fd)
	}, true
}

// trimPause returns how long the pause lasts: the file was accessed when it began, and is modified
// when it ends.
func trimPause(fd int) (time.Duration, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, err
	}
	now := time.Now()
	if time.Unix(st.Atim.Unix()).After(now) { // the clock was set back
		return 0, nil
	}
	return time.Unix(st.Mtim.Unix()).Sub(now), nil
}

func setTrimPause(fd int, pause time.Duration) {
	now := time.Now()
	next := now.Add(min(pause, maxTrimPause))
	_ = unix.Futimes(fd, []unix.Timeval{unix.NsecToTimeval(now.UnixNano()), unix.NsecToTimeval(next.UnixNano())})
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
