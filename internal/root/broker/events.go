package broker

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/state"
)

// What happened to sessions goes into the log and the history. Nothing of it is found
// out or written before the user has the session.

// startDelay is how long a session that has just begun is left alone before its start is
// written.
const startDelay = 5 * time.Millisecond

// events are the start and the end of a session in the history.
type events struct {
	end     history.Event
	over    chan struct{} // closed when the front is gone
	written chan struct{} // closed when the start is written
}

// writeStart begins the history of a session that was just given to the front.
func (b *Broker) writeStart(f *front, req *wire.Login, key string, cold bringup.Cold) {
	r := b.newEvent(f, history.Start)
	r.ID, r.Key, r.Container, r.Terminal, r.Cold = f.session.ID, key, f.plan.Container, req.Terminal, string(cold)
	if f.plan.Settings.AuditCommand {
		r.Command, r.Cut = string(req.Words), req.Cut
	}
	e := &events{end: endOf(*f.session), over: make(chan struct{}), written: make(chan struct{})}
	e.end.Since = r.Time
	f.events = e
	process, took := f.process, time.Since(f.begun)
	b.starts.Go(func() {
		defer close(e.written)
		// Before the front does anything: a short session is over soon, and its sshd too.
		r.Client = clientAddress(process)
		t := time.NewTimer(startDelay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-e.over:
		case <-b.ctx.Done():
		}
		if made, err := b.state.Container(r.Container).Made(); err == nil {
			r.Image = made.ImageID
		}
		b.Log.Info("session start", append(r.Attrs(), "ms", took.Milliseconds())...)
		b.History(r)
	})
}

// newEvent returns an event with what is known of the front.
func (b *Broker) newEvent(f *front, kind history.Kind) history.Event {
	r := history.Event{Time: time.Now(), Kind: kind, User: f.user, UID: f.uid, Pid: int(f.pid), TTY: proc.Terminal(f.process.TTY), Door: "setuid"}
	switch {
	case b.Role == Service:
		r.Door = "service"
	case int(f.uid) == unix.Geteuid():
		r.Door = "direct"
	}
	return r
}

// clientAddress returns the address that a front was started for; empty if it does not
// come from sshd, or that has gone.
func clientAddress(front proc.Stat) string {
	addr, err := sshd.Behind(front)
	if err != nil {
		return ""
	}
	return addr.String()
}

// writeEnd ends the history of a session, if removed says that no other process did.
func (b *Broker) writeEnd(e *events, removed bool) {
	close(e.over)
	<-e.written // it waits for nothing but /proc
	if removed {
		b.writeEndEvent(e.end)
	}
}

func (b *Broker) writeEndEvent(r history.Event) {
	r.Time = time.Now()
	b.Log.Info("session end", r.Attrs()...)
	b.History(r)
}

// writeLostEnd writes the end of a session that ended without its broker: nobody knows
// how, and when at the latest.
func (b *Broker) writeLostEnd(s state.Session) { b.writeEndEvent(endOf(s)) }

func endOf(s state.Session) history.Event {
	return history.Event{Kind: history.End, ID: s.ID, User: s.User, UID: s.UID, Container: s.Container, Since: s.Since}
}

// noteStatus takes the front's word on how its session ended.
func (b *Broker) noteStatus(f *front, m wire.Message) error {
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

// writeRefusal writes a login that is refused.
func (b *Broker) writeRefusal(f *front, err error) {
	if f.process.Pid == 0 {
		f.process, _ = proc.Of(int(f.pid)) // it may be gone
	}
	r := b.newEvent(f, history.Refused)
	r.Client, r.Reason = clientAddress(f.process), printable.Line(usererr.For(err).Text)
	b.History(r)
}

// writeHostShell writes a login that was given the host. What it does there, and when it
// ends, is not ours to see.
func (b *Broker) writeHostShell(f *front) {
	r := b.newEvent(f, history.HostShell)
	r.Client, r.Shell = clientAddress(f.process), f.plan.HostShell
	b.Log.Warn("host shell", r.Attrs()...)
	b.History(r)
}
