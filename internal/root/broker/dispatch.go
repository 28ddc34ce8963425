package broker

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/fate"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// front is one connection: a login, and then the session's lifetime; or that of the PAM
// module, for the lifetime of a connection of ssh.
type front struct {
	channel.Conn
	uid         uint32           // from the kernel
	counted     uint32           // the uid whose connections it is one of
	pid         int32            // from the kernel; for the log
	asked       [numRequests]int // by row of requests
	begun       time.Time
	user        string          // name; empty before it is known
	process     proc.Stat       // the front as it was at the login; zero if it was gone by then
	plan        *policy.Session // nil before the login
	releaseTurn func()          // ends the turn of a login: the user's next one is read

	stranger bool // no account is known for the uid
	stage    stage
	session  *state.Session // nil before the login, and for a host shell
	events   *sessionEvents // nil before the session begins
	cancel   func()         // ends what goes on for a connection; may be nil

	handedOver bool
	ended      func(handOver bool) // called at the very end; may be nil
}

// stage is how far a connection has come.
type stage int

// The stages.
const (
	begun     stage = iota
	inSession       // after a login
	joined          // after Join: what follows is the end
)

// request is one row of the privileged surface.
type request struct {
	kind     wire.Kind
	most     int   // how often a connection may send it
	when     stage // only then
	rootOnly bool  // else every user may, for the uid that the kernel reports
	answer   func(*Broker, *front, wire.Message) error
}

const numRequests = 5

// requests is all that the broker does for a front, the PAM module or dockershctl. What is not in the
// table ends the connection.
var requests = [numRequests]request{
	{wire.KindLogin, 1, begun, false, (*Broker).login},
	{wire.KindWhy, 1, inSession, false, (*Broker).answerWhy},
	{wire.KindEnded, 1, inSession, false, (*Broker).storeExitStatus},
	{wire.KindJoin, 1, begun, true, (*Broker).join},
	{wire.KindReadCounters, 1, begun, true, (*Broker).answerCounters},
}

// answerLimit is how long a front may take for its login, and the broker for an answer.
const answerLimit = 10 * time.Second

// serveLogin reads the login and carries it out.
func (b *Broker) serveLogin(f *front) {
	f.Within(answerLimit)
	ok := b.waitForTurn(f)
	f.begun = time.Now() // a user can wait for a turn of their own as long as they like
	ok = ok && b.serveRequest(f)
	f.releaseTurn()
	b.logins.Done()
	if !ok || f.stage == begun {
		b.close(f)
		return
	}
	// The stack of a login is large, and a session long: go on with a new one.
	go b.serveSession(f)
}

// errFrontGone is returned for a login whose front has ended: another process has the
// connection, and nothing is known of that one.
var errFrontGone = errors.New("the process that connected has ended")

// identify finds out which process the front is. It is known by its number and its start
// from then on.
func (f *front) identify() {
	pidfd, err := f.Socket.(socket).PeerPidfd()
	if err != nil {
		return
	}
	if pidfd >= 0 {
		defer func() { _ = unix.Close(pidfd) }()
	}
	if p, err := proc.Peer(int(f.pid), f.uid, pidfd); err == nil {
		f.process = p
	}
}

// waitForTurn waits for the login, and for the user's turn, within the connection's limit;
// false if either does not come. Logins of one user are read one after the other: a user
// can send thousands at once, and those of others would share the processor with each of
// them. One that has come is answered in a fraction of a millisecond.
func (b *Broker) waitForTurn(f *front) bool {
	f.releaseTurn = func() {}
	if b.Role != Service { // it has one login
		return true
	}
	if _, err := f.Socket.(socket).NextSize(); err != nil {
		return true // what is wrong is seen when it is read
	}
	ctx, cancel := context.WithTimeout(b.ctx, answerLimit)
	defer cancel()
	next, err := b.loginTurns.Lock(ctx, strconv.FormatUint(uint64(f.uid), 10))
	if err != nil {
		b.refuse(f, usererr.New(usererr.Busy, "too many of your logins are under way", "try again", err), true)
		return false
	}
	f.releaseTurn = sync.OnceFunc(next)
	f.Within(answerLimit) // the wait does not count
	return true
}

// serveSession waits for the end of the front, however it comes: it is the end of the
// session.
func (b *Broker) serveSession(f *front) {
	defer b.close(f)
	for {
		_ = f.SetDeadline(time.Time{})
		if !b.serveRequest(f) {
			return
		}
	}
}

// close ends a connection, and with it the session.
func (b *Broker) close(f *front) {
	if f.ended != nil {
		defer func() { f.ended(f.handedOver) }()
	}
	if f.handedOver {
		return
	}
	_ = f.Close()
	b.conns.Release(f.counted)
	if f.cancel != nil {
		f.cancel()
	}
	if f.session == nil {
		return
	}
	removed := b.sessions.Remove(*f.session)
	if f.events != nil {
		b.events.writeEndOnce(f.events, removed)
	}
	b.lifecycle.SessionEnded(f.session.Container, f.plan)
}

// serveRequest receives one message and carries it out; false ends the connection.
func (b *Broker) serveRequest(f *front) bool {
	m, fds, err := f.Recv()
	if err != nil {
		return false
	}
	seqpacket.CloseAll(fds) // no request brings any
	for row, r := range requests {
		if r.kind != m.Kind() {
			continue
		}
		if f.asked[row]++; f.asked[row] > r.most || r.when != f.stage || r.rootOnly && f.uid != 0 {
			break
		}
		f.Within(answerLimit)
		switch err := r.answer(b, f, m); {
		case err == nil:
			return true
		case errors.Is(err, engine.ErrNoClient):
			b.handOver(f)
		default:
			b.refuse(f, err, r.kind == wire.KindLogin)
		}
		return false
	}
	b.refuse(f, usererr.New(usererr.Protocol, "the dockersh service did not expect this",
		"ask the administrator to run: systemctl restart dockershd", nil), false)
	return false
}

// refuse sends the user what they may read, and logs the cause; login reports whether it
// is a login that is refused.
func (b *Broker) refuse(f *front, err error, login bool) {
	b.events.countRefusal(f, err, login) // before the front learns of it, and ends
	if login {
		b.countRefusal(err)
	}
	f.Within(time.Second)
	if p, ok := f.Socket.(*peekConn); ok {
		p.dropFirstPacket() // within the new limit: the old one may be over
	}
	_ = f.Send(wire.NewError(usererr.For(err)))
}

// storeExitStatus keeps the front's word on how its session ended.
func (b *Broker) storeExitStatus(f *front, m wire.Message) error {
	if f.events == nil {
		return nil // a host shell
	}
	code, sig := exitstatus.Split(m.(*wire.Ended).Status)
	if sig == 0 {
		f.events.end.Exit = &code
		return nil
	}
	f.events.end.Signal = exitstatus.SignalName(sig)
	return nil
}

// answerWhy answers a front whose agent is gone with what happened.
func (b *Broker) answerWhy(f *front, _ wire.Message) error {
	if f.plan.HostShell != "" {
		return f.Send(&wire.Reason{Text: "there is no container"})
	}
	ctx, cancel := context.WithTimeout(b.ctx, fate.Limit)
	defer cancel()
	reason, err := b.fates.Find(ctx, f.uid, f.plan)
	if err != nil {
		reason = fate.Unknown
	}
	f.events.end.Lost = reason
	if b.events.admits(f.events.log, f.events.end) {
		b.Log.Warn("session lost", "uid", f.uid, "container", f.plan.Container, "reason", reason)
	}
	return f.Send(&wire.Reason{Text: reason})
}
