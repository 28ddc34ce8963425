package broker

import (
	"context"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// limits counts the connections of each uid, so that one user cannot take the broker
// from the others. A live session is one connection.
type limits struct {
	mu      sync.Mutex
	conns   map[uint32]int
	total   int
	perUser int
	ofAll   int
}

// mostPerUser is how many connections one uid may have.
const mostPerUser = 4096

func newLimits() *limits {
	l := &limits{conns: map[uint32]int{}, perUser: mostPerUser, ofAll: mostPerUser}
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) == nil {
		// Some descriptors are needed for the engine, for agents and for strangers. No
		// single uid gets more than half of what there is.
		l.ofAll = int(min(lim.Cur, 1<<20)) - 448
		l.perUser = min(l.perUser, l.ofAll/2)
	}
	return l
}

var errTooMany = usererr.New(usererr.Busy, "you have too many connections", "end some of your sessions", nil)

// admitConn counts a connection, to be ended by releaseConn; false if there are too many.
func (l *limits) admitConn(uid uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[uid] >= l.perUser || l.total >= l.ofAll {
		return false
	}
	l.conns[uid]++
	l.total++
	return true
}

func (l *limits) releaseConn(uid uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.conns[uid]--; l.conns[uid] == 0 {
		delete(l.conns, uid)
	}
}

// lockSessions takes the lock under which a user's sessions are counted, and refuses the
// login if the user has as many as they may (maxsessions). Of two logins at once only one
// gets the last place.
func (b *Broker) lockSessions(ctx context.Context, plan *policy.Plan) (unlock func(), err error) {
	if plan.Settings.MaxSessions == 0 {
		return func() {}, nil
	}
	unlock, err = b.sessions.Lock(ctx)
	if err != nil {
		return nil, err
	}
	if err := plan.AdmitSession(b.sessions.CountUser(plan.User.UID)); err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}
