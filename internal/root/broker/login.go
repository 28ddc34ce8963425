package broker

import (
	"context"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/root/sessions"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// login answers a front's first message: with a host shell, with an agent's
// socket, or with an error.
func (b *Broker) login(f *front, m wire.Message) error {
	req := m.(*wire.Login)
	if req.Version != wire.Version {
		return usererr.New(usererr.Protocol, "dockersh and its service are of different versions",
			"ask the administrator to restart dockershd", nil)
	}
	ctx, cancel := context.WithTimeout(b.stop, firstWord)
	defer cancel()
	u, err := b.Users.ByUID(ctx, f.uid)
	if err != nil {
		return settings.AccountError(err)
	}
	f.user = u.Name
	id := sessions.NewID()
	plan, err := b.plan(ctx, u, req, source{f.pid, id})
	key, _ := sshd.Key(string(req.AuthInfo)) // without one the log has none
	req.UserFile, req.AuthInfo = nil, nil    // not to be kept while a container is made
	if err != nil {
		return err
	}
	if plan.HostShell != "" {
		f.seen, _ = proc.Of(int(f.pid))
		if err := f.Send(&wire.HostShell{Shell: plan.HostShell}); err != nil {
			return err
		}
		f.plan = plan
		b.tellHostShell(f)
		return nil
	}
	if err := b.enroll(ctx, f, id, plan); err != nil {
		return err
	}
	if b.Engine == nil && b.needsEngine(plan) { // after the record: who makes the container from here on sees us
		return ErrHandOver
	}
	agent, err := channel.Conn{}, rundir.ErrCold
	if !b.mayRenew(plan) {
		agent, err = b.meet(f, plan)
	}
	if err == rundir.ErrCold {
		agent, err = b.bringUp(f, plan)
	}
	if err != nil {
		return err
	}
	defer agent.Close()
	b.tellChange(plan, req)
	ready := &wire.Ready{Shell: plan.Shell, Cwd: plan.Cwd, Accept: plan.Settings.AcceptEnv, Notice: plan.Notice}
	f.Within(firstWord)
	if err := f.Send(ready, agent.Fd()); err != nil {
		return err
	}
	f.plan = plan
	b.arrive(f, req, key)
	return nil
}

// source is what a login can be told by, besides its user.
type source struct {
	pid int32  // of the front, from the kernel
	id  string // of the session
}

// plan finds the settings of a user, and lets the policy decide.
func (b *Broker) plan(ctx context.Context, u account.User, req *wire.Login, from source) (*policy.Plan, error) {
	file, err := b.settings.Load()
	if err != nil {
		return nil, err
	}
	s, err := settings.For(file, settings.Login{
		User:     u,
		MemberOf: func(group string) (bool, error) { return b.Users.MemberOf(ctx, u, group) },
		UserFile: func() ([]byte, error) { return req.UserFile, settings.UserFileError(printable.Line(req.UserErr)) },
		Address: func() (string, error) {
			addr, err := sshd.Address(int(from.pid))
			return addr.String(), err
		},
		Key:     func() (string, error) { return sshd.Key(string(req.AuthInfo)) },
		Session: from.id,
	})
	if err != nil {
		return nil, err
	}
	plan, err := policy.Decide(u, s.Settings, policy.Request{Terminal: req.Terminal, Command: req.Command})
	if err == nil {
		plan.Admins, plan.Address, plan.Key = s.Admins, s.Address, s.Key
	}
	return plan, err
}

// warm connects to the agent of a container that runs. It asks no engine.
// rundir.ErrCold means that there is none.
func (b *Broker) warm(plan *policy.Plan) (channel.Conn, error) {
	d := rundir.Of(b.Run, plan.Container)
	owner, err := d.Owner()
	if err != nil || !plan.Engine().Local() {
		return channel.Conn{}, rundir.ErrCold
	}
	if err := plan.MayEnter(owner); err != nil {
		if plan.MayAdopt() { // that one may be gone, and another be there by its name
			return channel.Conn{}, rundir.ErrCold
		}
		return channel.Conn{}, err
	}
	return d.Dial(plan.Agent)
}
