// Package sessionlog bounds how many lines about sessions and refused logins the log gets: a client
// that opens a session for each file, such as rclone, opens hundreds a second.
package sessionlog

import (
	"sync"
	"time"
)

// Sessions is the value of the setting log with which sessions are in the log.
const Sessions = "sessions"

// Lines counts lines about sessions by user. The history has them all.
type Lines struct {
	Max    int           // lines of a user in a period
	Period time.Duration // it begins with the user's first line
	// LeftOut is called at the end of a period in which lines of a user were left out.
	LeftOut func(user string, uid uint32, number int)

	mu    sync.Mutex
	users map[uint32]*lines
}

type lines struct {
	user   string
	number int
	timer  *time.Timer // ends the period
}

// Admit reports whether one more line of a user goes to the log.
func (l *Lines) Admit(user string, uid uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.users[uid]
	if u == nil {
		if l.users == nil {
			l.users = map[uint32]*lines{}
		}
		u = &lines{user: user}
		u.timer = time.AfterFunc(l.Period, func() { l.end(uid, u) })
		l.users[uid] = u
	}
	u.number++
	return u.number <= l.Max
}

// end ends a user's period.
func (l *Lines) end(uid uint32, u *lines) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users[uid] != u {
		return // Close was faster
	}
	delete(l.users, uid)
	u.timer.Stop()
	if u.number > l.Max {
		l.LeftOut(u.user, uid, u.number-l.Max)
	}
}

// Close ends all periods.
func (l *Lines) Close() {
	l.mu.Lock()
	all := make(map[uint32]*lines, len(l.users))
	for uid, u := range l.users {
		all[uid] = u
	}
	l.mu.Unlock()
	for uid, u := range all {
		l.end(uid, u)
	}
}
