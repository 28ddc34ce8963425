package broker

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/root/sessions"
)

// What goes into the log and the history of sessions. Nothing of it is found out
// or written before the user has his session.

const (
	// settling is how long a session that has just begun is left alone before it is
	// written down.
	settling = 5 * time.Millisecond
	// headStart is what whoever served a session has over those who find that it
	// is over: he may know how it ended.
	headStart = time.Second
)

// visit is a session in the history.
type visit struct {
	end  history.Event
	over chan struct{} // closed: the front is gone
	told chan struct{} // closed: the start is written
}

// arrive begins the history of a session that the front was just given.
func (b *Broker) arrive(f *front, req *wire.Login, key string) {
	r := f.entry(b, history.Start)
	r.ID, r.Key, r.Container, r.Terminal = f.record.ID, key, f.plan.Container, req.Terminal
	if f.plan.Settings.AuditCommand {
		r.Command, r.Cut = string(req.Words), req.Cut
	}
	f.visit = &visit{end: endOf(*f.record), over: make(chan struct{}), told: make(chan struct{})}
	f.visit.end.Since = r.Time
	v, seen, took := f.visit, f.seen, time.Since(f.from)
	b.telling.Go(func() { b.tellStart(v, r, seen, took) })
}

// entry is what every record says that a front is the cause of.
func (f *front) entry(b *Broker, e history.Kind) history.Event {
	r := history.Event{Time: time.Now(), Kind: e, User: f.user, UID: f.uid, Pid: int(f.pid), TTY: proc.Terminal(f.seen.TTY), Door: "setuid"}
	switch {
	case b.keeping.Load():
		r.Door = "service"
	case int(f.uid) == unix.Geteuid():
		r.Door = "direct"
	}
	return r
}

// tellStart writes the start of a session once it has begun, or is over already.
func (b *Broker) tellStart(v *visit, r history.Event, front proc.Stat, took time.Duration) {
	defer close(v.told)
	// Before the front does anything: a short session is over soon, and its sshd too.
	r.Client = client(front)
	t := time.NewTimer(settling)
	defer t.Stop()
	select {
	case <-t.C:
	case <-v.over:
	case <-b.stop.Done():
	}
	if made, err := rundir.Of(b.Run, r.Container).Made(); err == nil {
		r.Image = made.ImageID
	}
	b.Log.Info("session start", append(r.Attrs(), "ms", took.Milliseconds())...)
	b.History(r)
}

// client is the address that a front was started for; empty if it comes from no
// sshd, or that has gone.
func client(front proc.Stat) string {
	addr, err := sshd.Behind(front)
	if err != nil {
		return ""
	}
	return addr.String()
}

// depart ends the history of a session: mine says that nobody else did.
func (b *Broker) depart(v *visit, mine bool) {
	<-v.told // it waits for nothing but /proc
	if mine {
		b.tellEnd(v.end)
	}
}

func (b *Broker) tellEnd(r history.Event) {
	r.Time = time.Now()
	b.Log.Info("session end", r.Attrs()...)
	b.History(r)
}

// ended notes the front's word on how its session ended.
func (b *Broker) ended(f *front, m wire.Message) error {
	if f.visit == nil {
		return nil // a host shell
	}
	code, sig := exitstatus.Split(m.(*wire.Ended).Status)
	if sig == 0 {
		f.visit.end.Exit = &code
		return nil
	}
	f.visit.end.Signal = exitstatus.SignalName(sig)
	return nil
}

// tellRefused writes a login that is refused.
func (b *Broker) tellRefused(f *front, err error) {
	if f.seen.Pid == 0 {
		f.seen, _ = proc.Of(int(f.pid)) // it may have gone
	}
	r := f.entry(b, history.Refused)
	r.Client, r.Reason = client(f.seen), printable.Line(usererr.For(err).Text)
	b.History(r)
}

// tellHostShell writes a login that was given the host. What it does there, and
// when it ends, is not ours to see.
func (b *Broker) tellHostShell(f *front) {
	r := f.entry(b, history.HostShell)
	r.Client, r.Shell = client(f.seen), f.plan.HostShell
	b.Log.Warn("host shell", r.Attrs()...)
	b.History(r)
}

// sweep takes away the records of sessions that ended without a broker, and tells
// of their end: how nobody knows, and when at the latest. It gives their containers.
func (b *Broker) sweep(ctx context.Context) (containers []string) {
	dead := b.sessions.Dead()
	if len(dead) == 0 {
		return nil
	}
	pause(ctx, headStart)
	if ctx.Err() != nil {
		return nil
	}
	for _, r := range dead {
		if !b.sessions.Remove(r) {
			continue // somebody else did
		}
		if !r.Coming {
			b.tellEnd(endOf(r))
		}
		containers = append(containers, r.Container)
	}
	return containers
}

func endOf(r sessions.Record) history.Event {
	return history.Event{Kind: history.End, ID: r.ID, User: r.User, UID: r.UID, Container: r.Container, Since: r.Since}
}
