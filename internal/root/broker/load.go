package broker

import (
	"sync"

	"golang.org/x/sys/unix"
)

// load counts the connections of each uid, so that one user cannot take the
// broker from the others.
type load struct {
	mu    sync.Mutex
	conns map[uint32]int
	most  int // a uid
	total int
	cap   int // of all
}

// mostPerUser is how many connections one uid may have; a live session is one.
const mostPerUser = 4096

func newLoad() *load {
	l := &load{conns: map[uint32]int{}, most: mostPerUser, cap: mostPerUser}
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) == nil {
		// Some are needed for the engine and for agents. No single uid gets more
		// than half of what there is.
		l.cap = int(min(lim.Cur, 1<<20)) - 128
		l.most = min(l.most, l.cap/2)
	}
	return l
}

func (l *load) enter(uid uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns[uid] >= l.most || l.total >= l.cap {
		return false
	}
	l.conns[uid]++
	l.total++
	return true
}

func (l *load) leave(uid uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.conns[uid]--; l.conns[uid] == 0 {
		delete(l.conns, uid)
	}
}

func outOfResources(err error) bool {
	return err == unix.EMFILE || err == unix.ENFILE || err == unix.ENOBUFS || err == unix.ENOMEM
}
