package broker

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/admission"
	"github.com/dockersh/dockersh/internal/root/history"
	"github.com/dockersh/dockersh/internal/root/join"
	"github.com/dockersh/dockersh/internal/root/sessionlog"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// join answers sshd's PAM module, which asks as root for the network of a connection: with
// the namespace of the user's container, with the host, or with nothing and the reason.
// Where a container cannot be joined the connection is without a network, but never refused:
// the login that follows reports what is wrong.
func (b *Broker) join(f *front, m wire.Message) error {
	req := m.(*wire.Join)
	f.releaseTurn() // that of root, who comes for everybody
	f.identify()
	if err := checkVersion(req.Version); err != nil {
		return err
	}
	if f.process.Pid == 0 {
		return errFrontGone
	}
	if b.Role != Service {
		return usererr.New(usererr.Unavailable, "connections are joined by the service alone", usererr.StartService, nil)
	}
	ctx, cancel := context.WithTimeout(b.ctx, join.Limit)
	defer cancel()
	user, err := b.Users.ByName(ctx, req.User)
	if err != nil {
		return settings.AccountError(err)
	}
	f.user = user.Name
	if !b.conns.Admit(user.UID) { // of whom each has a limit
		return admission.ErrTooMany
	}
	b.conns.Release(f.counted)
	f.counted = user.UID
	c, err := b.joiner.Join(ctx, user, f.process, string(req.AuthInfo))
	if err != nil {
		return err
	}
	f.session, f.plan, f.cancel = &c.Entry, c.Plan, c.Leave
	if c.Err != nil {
		b.events.refused.Log(ctx, slog.LevelWarn, "connection without a network",
			"user", f.user, "uid", user.UID, "pid", f.pid, "cause", c.Err)
	}
	watch := b.events.addConnection(f) // before sshd goes on to the session, which looks for it
	err = f.sendJoined(c)
	go watch() // it reads /proc, for which sshd need not wait
	if err != nil {
		return err
	}
	f.stage = joined
	return nil
}

// sendJoined answers the module, and closes the namespace.
func (f *front) sendJoined(c *join.Connection) error {
	f.Within(answerLimit)
	switch {
	case c.NS != nil:
		defer c.NS.Close()
		return f.Send(&wire.Joined{Outcome: wire.JoinNamespace}, int(c.NS.Fd()))
	case c.OnHost:
		return f.Send(&wire.Joined{Outcome: wire.JoinHost})
	}
	reason := printable.Line(c.Err.Error())
	return f.Send(&wire.Joined{Reason: strings.ToValidUTF8(reason[:min(len(reason), wire.MaxReason)], "")})
}

// A connection of ssh with a session needs no word beside that of the session. One that has
// none after sessionDelay (ssh -N, ssh -J) is in the history itself.
const (
	sessionDelay = 5 * time.Second
	// endDelay is how long a connection that ends earlier waits for what its session has to
	// write, which is written in the background.
	endDelay = 200 * time.Millisecond
)

// addConnection adds a connection to those that sessions look for, and returns what writes its
// start, and its end, if it has no session: to be called once, in the background.
func (e *events) addConnection(f *front) (watch func()) {
	s := &sessionEvents{end: endOf(*f.session), over: make(chan struct{}), written: make(chan struct{}), log: sessionlog.Sessions}
	if f.plan != nil {
		s.log = f.plan.Log
	}
	start := e.newEvent(f, history.Start)
	start.ID, start.UID, start.Key, start.Container = f.session.ID, f.session.UID, f.session.Key, f.session.Container
	start.Connection = true
	if s.end.Container == state.NoContainer {
		start.Container, s.end.Container = "", ""
	}
	s.end.Since = start.Time
	s.sshd = f.process
	f.events = s
	e.connections.Add(s.sshd, f.session.Key)
	return func() {
		defer close(s.written)
		start.Client = clientAddress(s.sshd)
		t := time.NewTimer(sessionDelay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-s.over:
			if e.connections.IsBare(s.sshd) {
				time.Sleep(endDelay)
			}
		case <-e.ctx.Done():
			return
		}
		if !e.connections.IsBare(s.sshd) {
			return
		}
		s.bare = true
		e.logSession(s.log, "connection start", start)
		e.history(start)
	}
}
