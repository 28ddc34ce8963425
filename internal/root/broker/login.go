package broker

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/bringup"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// login answers a front's first message: with a host shell, with a connection to an
// agent, or with an error. It returns engine.ErrNoClient where a broker with an engine
// must go on.
func (b *Broker) login(f *front, m wire.Message) error {
	req := m.(*wire.Login)
	f.identify()
	if err := checkVersion(req.Version); err != nil {
		return err
	}
	if f.process.Pid == 0 {
		return errFrontGone
	}
	ctx, cancel := context.WithTimeout(b.ctx, answerLimit)
	defer cancel()
	user, err := b.Users.ByUID(ctx, f.uid)
	if errors.Is(err, account.ErrUnknown) && b.strangers != nil {
		b.strangers.SetKnown(f.uid, false)
	}
	if err != nil {
		return settings.AccountError(err)
	}
	f.user = user.Name
	id := state.NewSessionID() // now, since %x in the settings stands for it
	effective, err := b.settings.ofLogin(ctx, user, f, req, id)
	if err != nil {
		return err
	}
	groups, err := f.groups(user)
	if err != nil {
		return err
	}
	plan, err := decide(user, groups, effective, req)
	if err != nil {
		return err
	}
	key, _ := sshd.Key(string(req.AuthInfo)) // for the log alone, which does without
	dropLarge(req, plan)
	f.releaseTurn()
	if plan.HostShell != "" {
		return b.sendHostShell(f, plan)
	}
	entered, err := b.enter(f, id, plan, effective)
	if isNotThere(err) && effective.IgnoreUserFile(err) {
		b.sessions.Remove(*f.session)
		f.session = nil
		if plan, err = decide(user, groups, effective, req); err == nil {
			entered, err = b.enter(f, id, plan, effective)
		}
	}
	if err != nil {
		return err
	}
	if err := b.sendReady(f, plan, entered.Conn, req.X11 && b.reachesX11(f, plan), b.notices.forLogin(plan, req, entered)); err != nil {
		// The front is gone, and nobody else has what the agent may have sent.
		return errors.Join(err, seqpacket.CloseElsewhere(entered.Conn.Close))
	}
	_ = seqpacket.CloseShared(entered.Conn.Close) // the front may have ended all the same
	b.counters.AddLogin(entered.Cold != bringup.Warm, time.Since(f.begun))
	f.events = b.events.writeStart(f, req, key, entered.Cold)
	return nil
}

// groups returns the supplementary groups that the login has on this host, from the kernel: those
// of this moment, and whatever gave the process more. Nil: a broker without root's rights cannot
// give them to a session.
func (f *front) groups(user account.User) ([]uint32, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	groups, err := f.Socket.(socket).PeerGroups()
	if err != nil {
		return nil, err
	}
	return account.SupplementaryOf(groups, user.GID), nil
}

// enter connects a login to the agent of its plan's container, with the entry of a session.
func (b *Broker) enter(f *front, id string, plan *policy.Plan, effective *settings.Effective) (bringup.Result, error) {
	if err := b.addSession(f, id, plan, effective); err != nil {
		return bringup.Result{}, err
	}
	if b.mustHandOver(plan) {
		return bringup.Result{}, engine.ErrNoClient
	}
	if plan.Record != "" {
		b.recordings.Started()
	}
	return b.bringup.Enter(b.ctx, bringup.Login{Plan: plan, Session: f.session, Report: f.reportProgress})
}

// dropLarge drops what must not be kept while a container is made: a user can have
// thousands of logins that wait.
func dropLarge(req *wire.Login, plan *policy.Plan) {
	req.UserFile, req.UserErr, req.AuthInfo = nil, "", nil
	if !plan.Settings.AuditCommand {
		req.Words = nil
	}
}

func checkVersion(version uint16) error {
	if version == wire.Version {
		return nil
	}
	return usererr.New(usererr.Protocol, "dockersh and its service are of different versions",
		"ask the administrator to run: systemctl restart dockershd", nil)
}

// mustHandOver reports whether a broker with an engine must go on, however warm the
// login is: there will be something to do for the container when the session is over.
// It is asked after the session entry is written, so that a broker that makes the
// container from then on sees the session.
func (b *Broker) mustHandOver(plan *policy.Plan) bool {
	return b.Role == WithoutEngine && b.lifecycle.NeedsEngine(plan.Container, plan.Settings.IdleTimeout)
}

// sendHostShell answers a login that the settings let onto the host.
func (b *Broker) sendHostShell(f *front, plan *policy.Plan) error {
	if err := f.Send(&wire.HostShell{Shell: plan.HostShell}); err != nil {
		return err
	}
	f.plan, f.stage = plan.Session(), inSession
	b.counters.HostShells.Add(1)
	b.events.writeHostShell(f)
	return nil
}

// lockSessions takes the lock under which a user's sessions are counted, and refuses the
// login if the user has as many as they may (maxsessions). Of two logins at once only one
// is admitted as the last.
func (b *Broker) lockSessions(plan *policy.Plan) (unlock func(), err error) {
	if plan.Settings.MaxSessions == 0 {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(b.ctx, answerLimit)
	defer cancel()
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

// addSession writes the entry of a session, before anything is done for it: every
// process that thinks of removing its container sees it from here on. If we are killed
// the entry stays, and ends with the front.
func (b *Broker) addSession(f *front, id string, plan *policy.Plan, effective *settings.Effective) error {
	s := state.Session{
		ID: id, UID: f.uid, User: plan.User.Name, Container: plan.Container,
		Pid: f.process.Pid, Start: f.process.Start, Since: time.Now(),
		Address: effective.Address, Key: effective.Key,
	}
	unlock, err := b.lockSessions(plan)
	if err != nil {
		return err
	}
	defer unlock()
	if err := b.sessions.Add(s); err != nil {
		return err
	}
	f.session = &s
	return nil
}

// sendReady answers a login with the connection to its agent. From then on the front
// speaks to the agent alone. x11 reports whether the session reaches the display that sshd
// forwards. Notice, which may be empty, is a line for the user.
func (b *Broker) sendReady(f *front, plan *policy.Plan, agent channel.Conn, x11 bool, notice string) error {
	f.Within(answerLimit)
	ready := &wire.Ready{Shell: plan.Shell, Fallback: plan.FallbackShell(), Cwd: plan.Cwd,
		Accept: plan.Settings.AcceptEnv, Notice: plan.Notice,
		Container: plan.Container, SSHAgent: plan.ForwardsAgent(), X11: x11}
	if notice != "" {
		ready.Notice = append(slices.Clip(plan.Notice), notice)
	}
	if err := f.Send(ready, agent.Fd()); err != nil {
		return err
	}
	f.plan, f.stage = plan.Session(), inSession
	return nil
}
