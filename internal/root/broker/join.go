package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// joinLimit is how long a connection of ssh waits for its container. The work goes on after
// that, for the login that follows.
const joinLimit = 5 * time.Second

// errSlow is returned where the container is not there within joinLimit.
var errSlow = fmt.Errorf("the container was not there within %v", joinLimit)

// join answers sshd's PAM module, which asks as root for the network of a connection: with
// the namespace of the user's container, with the host, or with nothing and the reason.
// Where a container cannot be joined the connection is without a network, but never refused:
// the login that follows says what is wrong.
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
	ctx, cancel := context.WithTimeout(b.ctx, joinLimit)
	defer cancel()
	user, err := b.Users.ByName(ctx, req.User)
	if err != nil {
		return settings.AccountError(err)
	}
	f.user = user.Name
	if err := b.countFor(f, user.UID); err != nil {
		return err
	}
	if err := b.state.Seen().Add(announcedName(user.UID)); err != nil {
		return err
	}
	key, _ := sshd.Key(string(req.AuthInfo)) // without one %k is refused
	f.session = &state.Session{
		ID: state.NewSessionID(), UID: user.UID, User: user.Name, Container: state.NoContainer,
		Pid: f.process.Pid, Start: f.process.Start, Since: time.Now(), Key: key, Connection: true,
	}
	ns, answer := b.network(ctx, f, user)
	if ns != nil {
		defer ns.Close()
	}
	if f.session.Container == state.NoContainer {
		if err := b.sessions.Add(*f.session); err != nil {
			f.session = nil
			return err
		}
	}
	f.Within(answerLimit)
	if ns != nil {
		err = f.Send(answer, int(ns.Fd()))
	} else {
		err = f.Send(answer)
	}
	if err != nil {
		return err
	}
	f.stage = joined
	b.events.watchConnection(f)
	return nil
}

// countFor counts a connection as one of its user's, of whom each has a limit.
func (b *Broker) countFor(f *front, uid uint32) error {
	if !b.limits.admitConn(uid) {
		return errTooMany
	}
	b.limits.releaseConn(f.counted)
	f.counted = uid
	return nil
}

// network decides what a connection joins. The entry of the session has a container, and is
// written, if that is joined.
func (b *Broker) network(ctx context.Context, f *front, user account.User) (*os.File, *wire.Joined) {
	onHost, ns, err := b.joinContainer(ctx, f, user)
	switch {
	case onHost:
		return nil, &wire.Joined{Outcome: wire.JoinHost}
	case err == nil:
		return ns, &wire.Joined{Outcome: wire.JoinNamespace}
	}
	f.session.Container, f.session.Waiting, f.plan = state.NoContainer, false, nil
	b.events.refused.Log(ctx, slog.LevelWarn, "connection without a network",
		"user", f.user, "uid", f.session.UID, "pid", f.pid, "cause", err)
	reason := printable.Line(err.Error())
	return nil, &wire.Joined{Outcome: wire.JoinNothing, Reason: strings.ToValidUTF8(reason[:min(len(reason), wire.MaxReason)], "")}
}

// joinContainer opens the network of the container of a connection, which it brings up.
func (b *Broker) joinContainer(ctx context.Context, f *front, user account.User) (onHost bool, ns *os.File, err error) {
	effective, err := b.settings.ofConnection(ctx, user, f, f.session.Key, f.session.ID)
	if err != nil {
		return false, nil, err
	}
	plan, err := policy.Decide(user, effective.Settings, policy.Request{Admins: effective.Admins})
	if err != nil {
		return false, nil, err
	}
	if onHost, err := plan.AdmitConnection(effective.Written); onHost || err != nil {
		return onHost, nil, err
	}
	f.plan = plan.Session()
	f.session.Container, f.session.Address = plan.Container, effective.Address
	if err := b.sessions.Add(*f.session); err != nil {
		return false, nil, err
	}
	ns, err = b.openNetwork(ctx, f, bringup.Login{Plan: plan, KnownOnly: effective.Written.UserShapes()})
	return false, ns, err
}

// opened is what OpenNetwork returned, with the entry as it left it.
type opened struct {
	ns    *os.File
	entry state.Session
	err   error
}

// openNetwork brings the container up, at most until ctx ends. After that the work goes on
// until the connection ends: the login that follows shares it.
func (b *Broker) openNetwork(ctx context.Context, f *front, l bringup.Login) (*os.File, error) {
	work, cancel := context.WithTimeout(b.ctx, launch.MakeLimit)
	f.cancel = cancel
	done := make(chan opened, 1)
	entry := *f.session
	go func() {
		l.Session = &entry
		ns, err := b.bringup.OpenNetwork(work, l)
		done <- opened{ns, entry, err}
	}()
	leave := func(o opened) {
		if o.ns != nil {
			_ = o.ns.Close()
		}
		b.sessions.Remove(o.entry)
		b.lifecycle.SessionEnded(o.entry.Container, l.Plan.Session())
	}
	select {
	case o := <-done:
		if o.err != nil {
			go leave(o) // the engine may take its time
			return nil, o.err
		}
		*f.session = o.entry
		return o.ns, nil
	case <-ctx.Done():
		go func() { leave(<-done) }()
		return nil, errors.Join(errSlow, b.ctx.Err())
	}
}
