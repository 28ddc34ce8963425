package broker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/join"
	"github.com/dockersh/dockersh/internal/root/sessionlog"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/root/syslog"
)

// What happened to sessions goes into the log and the history. Nothing of it is found
// out or written before the user has the session.

// startDelay is how long a session that has just begun is left alone before its start is
// written.
const startDelay = 5 * time.Millisecond

// events writes what happened to the log and the history.
type events struct {
	ctx     context.Context
	log     *slog.Logger
	history func(history.Event)
	state   state.RunDir
	role    Role
	starts  sync.WaitGroup // being written

	connections join.Announced

	lines *sessionlog.Lines // nil: all go to the log

	refused  *slog.Logger // for refusals, which must not crowd out the rest
	refusals sessionlog.Refusals[refusal]
}

func newEvents(ctx context.Context, c Config) *events {
	e := &events{ctx: ctx, log: c.Log, history: c.PutEvent, state: state.RunDir(c.Run), role: c.Role, refused: c.Log.With(syslog.Minor())}
	e.refusals = sessionlog.Refusals[refusal]{Period: refusalPeriod, Context: ctx, Write: e.writeRefusal}
	if c.Role == Service {
		e.lines = &sessionlog.Lines{Max: maxSessionLines, Period: time.Minute, LeftOut: func(user string, uid uint32, number int) {
			e.refused.Log(context.Background(), slog.LevelWarn, "lines about sessions left out", "user", user, "uid", uid, "number", number)
		}}
	}
	return e
}

// maxSessionLines is how many lines about sessions of one user the log gets in a minute.
const maxSessionLines = 200

// logSession writes a line about a session whose user has this value of the setting log.
func (e *events) logSession(mode, what string, event history.Event, more ...any) {
	if e.admits(mode, event) {
		e.log.Info(what, append(event.Attrs(), more...)...)
	}
}

// admits reports whether the log gets another line about a session.
func (e *events) admits(mode string, event history.Event) bool {
	return mode == sessionlog.Sessions && (e.lines == nil || e.lines.Admit(event.User, event.UID))
}

// close writes what was counted.
func (e *events) close() {
	e.refusals.Close()
	if e.lines != nil {
		e.lines.Close()
	}
}

// sessionEvents are the start and the end of one session.
type sessionEvents struct {
	end     history.Event
	over    chan struct{} // closed when the front is gone
	written chan struct{} // closed when the start is written
	bare    bool          // of a connection: it has no session, and its start was written
	sshd    proc.Stat     // of a connection
	log     string        // the setting of its user
}

// writeStart writes the start of a session that was just given to the front, in the
// background, and returns what its end will need.
func (e *events) writeStart(f *front, req *wire.Login, key string, reason bringup.ColdReason) *sessionEvents {
	event := e.newEvent(f, history.Start)
	event.ID, event.Key, event.Container, event.Terminal, event.Cold = f.session.ID, key, f.plan.Container, req.Terminal, string(reason)
	if len(req.Words) > 0 { // dropLarge drops it unless the settings ask for it
		event.Command, event.Cut = string(req.Words), req.Cut
	}
	s := &sessionEvents{end: endOf(*f.session), over: make(chan struct{}), written: make(chan struct{}), log: f.plan.Log}
	s.end.Since = event.Time
	process, took := f.process, time.Since(f.begun)
	e.starts.Go(func() {
		defer close(s.written)
		// Before the front does anything: a short session is over soon, and its sshd too.
		event.Client = clientAddress(process)
		if announced, ok := e.connections.AddSession(process); ok {
			event.Key = announced
		}
		t := time.NewTimer(startDelay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.over:
		case <-e.ctx.Done():
		}
		if made, err := e.state.Container(event.Container).Made(); err == nil {
			event.Image = made.ImageID
		}
		e.logSession(s.log, "session start", event, "ms", took.Milliseconds())
		e.history(event)
	})
	return s
}

// newEvent returns an event with what is known of the front.
func (e *events) newEvent(f *front, kind history.Kind) history.Event {
	event := history.Event{Time: time.Now(), Kind: kind, User: f.user, UID: f.uid, Pid: int(f.pid), TTY: proc.Terminal(f.process.TTY),
		Door: "setuid"}
	switch {
	case e.role == Service:
		event.Door = "service"
	case int(f.uid) == unix.Geteuid():
		event.Door = "direct"
	}
	return event
}

// clientAddress returns the address that a front was started for; empty if it does not
// come from sshd, or that has gone.
func clientAddress(front proc.Stat) string {
	addr, err := sshd.AddressOf(front)
	if err != nil {
		return ""
	}
	return addr.String()
}

// writeEndOnce writes the end of a session, if removed, which means that no other process did.
func (e *events) writeEndOnce(s *sessionEvents, removed bool) {
	close(s.over)
	<-s.written // it waits for nothing but /proc, and of a connection a moment more
	if s.end.Connection {
		e.connections.Remove(s.sshd)
	}
	if removed && (s.bare || !s.end.Connection) {
		e.writeEnd(s.end, s.log)
	}
}

// writeLost writes the end of a session that ended without its broker: nobody knows how it
// ended, and when at the latest.
func (e *events) writeLost(s state.Session) { e.writeEnd(endOf(s), sessionlog.Sessions) }

func (e *events) writeEnd(event history.Event, mode string) {
	event.Time = time.Now()
	what := "session end"
	if event.Connection {
		what = "connection end"
	}
	e.logSession(mode, what, event)
	e.history(event)
}

func endOf(s state.Session) history.Event {
	return history.Event{Kind: history.End, ID: s.ID, User: s.User, UID: s.UID, Container: s.Container, Since: s.Since,
		Connection: s.Connection}
}

// writeHostShell writes a login that was given the host. What it does there, and when it ends,
// is not ours to see.
func (e *events) writeHostShell(f *front) {
	event := e.newEvent(f, history.HostShell)
	event.Client, event.Shell = clientAddress(f.process), f.plan.HostShell
	e.log.Warn("host shell", event.Attrs()...)
	e.history(event)
}
