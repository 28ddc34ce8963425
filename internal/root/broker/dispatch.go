package broker

import (
	"time"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/sessions"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// front is one connection: a login, and then the session's lifetime.
type front struct {
	channel.Conn
	uid  uint32 // from the kernel
	pid  int32  // from the kernel; for the log
	said [wire.KindEnded + 1]int
	plan *policy.Plan // nil before the login
	from time.Time
	user string    // name; empty before it is known
	seen proc.Stat // the process, as it was at the login
	over func()    // called at the very end; may be nil

	record *sessions.Record // nil before the login, and for a host shell
	visit  *visit           // nil before the session begins
}

// request is one row of the privileged surface.
type request struct {
	kind  wire.Kind
	most  int  // how often a connection may say it
	after bool // only after the login; else only before
	do    func(*Broker, *front, wire.Message) error
}

// requests is all that the broker does for a front. Who may: everyone, for
// himself, as the uid that the kernel tells. What is not in it ends the
// connection.
var requests = [...]request{
	{wire.KindLogin, 1, false, (*Broker).login},
	{wire.KindWhy, 3, true, (*Broker).why},
	{wire.KindEnded, 1, true, (*Broker).ended},
}

// firstWord is how long a front may take for its login, and a broker for an
// answer.
const firstWord = 10 * time.Second

// converse is the life of a connection before and at the login.
func (b *Broker) converse(f *front) {
	f.from = time.Now()
	f.Within(firstWord)
	ok := b.answer(f)
	b.logins.Done()
	if !ok || f.plan == nil {
		b.end(f)
		return
	}
	// The stack of a login is large, and a session long: go on with a new one.
	go b.attend(f)
}

// attend waits for the end of the front, however it comes: it is the end of the
// session.
func (b *Broker) attend(f *front) {
	defer b.end(f)
	for {
		_ = f.SetDeadline(time.Time{})
		if !b.answer(f) {
			return
		}
	}
}

func (b *Broker) end(f *front) {
	if f.over != nil {
		defer f.over()
	}
	if b.passed.Load() {
		return
	}
	_ = f.Close()
	b.load.leave(f.uid)
	if f.visit != nil {
		close(f.visit.over)
	}
	if f.record != nil {
		mine := b.sessions.Remove(*f.record)
		if f.visit != nil {
			b.depart(f.visit, mine)
		}
		b.left(f.record.Container, f.plan)
	}
}

// answer takes one message and carries it out; false ends the connection.
func (b *Broker) answer(f *front) bool {
	m, fds, err := f.Recv()
	if err != nil {
		return false
	}
	seqpacket.CloseAll(fds) // no request brings any
	for _, r := range requests {
		if r.kind != m.Kind() {
			continue
		}
		if f.said[r.kind]++; f.said[r.kind] > r.most || r.after != (f.plan != nil) {
			break
		}
		f.Within(firstWord)
		if err := r.do(b, f, m); err == ErrHandOver {
			b.pass(f)
			return false
		} else if err != nil {
			if r.kind == wire.KindLogin {
				b.tellRefused(f, err) // before it hears of it, and ends
			}
			b.refuse(f, err)
			return false
		}
		return true
	}
	b.refuse(f, usererr.New(usererr.Protocol, "the dockersh service did not expect this", "", nil))
	return false
}

// refuse tells the user what he may read, and the log why.
func (b *Broker) refuse(f *front, err error) {
	e := usererr.For(err)
	name := ""
	if f.plan != nil {
		name = f.plan.Container
	}
	b.Log.Warn("refused", "uid", f.uid, "pid", f.pid, "container", name, "told", e.Text, "cause", e.Cause)
	f.Within(time.Second)
	if h, ok := f.Socket.(*held); ok {
		h.take() // within the new limit: the old one may be over
	}
	_ = f.Send(wire.NewError(e))
}
