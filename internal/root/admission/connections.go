// Package admission decides whether a connection to the broker is served at all, before anything
// is done for it: it counts the connections of each user, and the look-ups of users whom this
// host does not know.
package admission

import (
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Connections counts the connections of each uid, so that one user cannot take the broker
// from the others. A live session is one connection.
type Connections struct {
	ofUser wait.Quota[uint32]
	ofAll  wait.Quota[struct{}]
}

// maxPerUser is how many connections one uid may have.
const maxPerUser = 4096

// NewConnections returns Connections that leave enough of this process's descriptors for the
// engine, for agents and for strangers. No single uid gets more than half of what there is. A
// broker of one session, which may have few, has one connection.
func NewConnections() *Connections {
	perUser, all := maxPerUser, maxPerUser
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) == nil {
		all = max(int(min(lim.Cur, 1<<20))-448, 1)
		perUser = max(min(perUser, all/2), 1)
	}
	return &Connections{ofUser: wait.Quota[uint32]{Each: perUser}, ofAll: wait.Quota[struct{}]{Each: all}}
}

// ErrTooMany is the answer to a connection that Admit does not admit.
var ErrTooMany error = usererr.New(usererr.Busy, "you have too many connections", "end some of your sessions", nil)

// Admit counts a connection, to be ended by Release; false if there are too many.
func (c *Connections) Admit(uid uint32) bool {
	if !c.ofUser.TryAcquire(uid) {
		return false // before a slot is acquired that another user may want
	}
	if !c.ofAll.TryAcquire(struct{}{}) {
		c.ofUser.Release(uid)
		return false
	}
	return true
}

// Release ends a connection.
func (c *Connections) Release(uid uint32) {
	c.ofAll.Release(struct{}{})
	c.ofUser.Release(uid)
}
