package broker

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// limits counts the connections of each uid, so that one user cannot take the broker
// from the others. A live session is one connection.
type limits struct {
	ofUser wait.Quota[uint32]
	ofAll  wait.Quota[struct{}]
}

// maxPerUser is how many connections one uid may have.
const maxPerUser = 4096

func newLimits() *limits {
	perUser, all := maxPerUser, maxPerUser
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) == nil {
		// Some descriptors are needed for the engine, for agents and for strangers. No
		// single uid gets more than half of what there is.
		// A broker of one session, which may have few, has one connection.
		all = max(int(min(lim.Cur, 1<<20))-448, 1)
		perUser = max(min(perUser, all/2), 1)
	}
	return &limits{ofUser: wait.Quota[uint32]{Each: perUser}, ofAll: wait.Quota[struct{}]{Each: all}}
}

var errTooMany = usererr.New(usererr.Busy, "you have too many connections", "end some of your sessions", nil)

// admitConn counts a connection, to be ended by releaseConn; false if there are too many.
func (l *limits) admitConn(uid uint32) bool {
	if !l.ofUser.TryAcquire(uid) {
		return false // before a slot is acquired that another user may want
	}
	if !l.ofAll.TryAcquire(struct{}{}) {
		l.ofUser.Release(uid)
		return false
	}
	return true
}

func (l *limits) releaseConn(uid uint32) {
	l.ofAll.Release(struct{}{})
	l.ofUser.Release(uid)
}

// lockSessions takes the lock under which a user's sessions are counted, and refuses the
// login if the user has as many as they may (maxsessions). Of two logins at once only one
// is admitted as the last.
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
