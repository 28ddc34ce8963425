package broker

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sshd"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/root/sessions"
	"github.com/dockersh/dockersh/internal/rules/config"
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
		return userUnknown(err)
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

// plan finds the settings of a user, and lets the policy decide.
func (b *Broker) plan(ctx context.Context, u account.User, req *wire.Login, from source) (*policy.Plan, error) {
	file, err := b.settings.Load()
	if err != nil {
		return nil, err
	}
	var told config.Vars
	s, admins, err := b.effective(ctx, file, u, req, func(s *config.Settings, v *config.Vars) error {
		err := from.tell(s, req, v)
		told = *v
		return err
	})
	if err != nil {
		return nil, settings.Told(err)
	}
	plan, err := policy.Decide(u, s, policy.Request{Terminal: req.Terminal, Command: req.Command})
	if err == nil {
		plan.Admins, plan.Address, plan.Key = admins, told.Address, told.Key
	}
	return plan, err
}

// effective merges the settings of a user, his own file last. admins are those
// without his own file. tell fills in what is of this login.
func (b *Broker) effective(ctx context.Context, file *config.File, u account.User, req *wire.Login,
	tell func(*config.Settings, *config.Vars) error) (s, admins *config.Settings, err error) {
	var groupErr error
	member := func(group string) bool {
		ok, err := b.Users.MemberOf(ctx, u, group)
		if err != nil {
			groupErr = err
		}
		return ok
	}
	s, err = file.Effective(u.Name, member, nil)
	if groupErr != nil {
		// Not knowing a group must not mean not being in it: its rules may be
		// the stricter ones.
		return nil, nil, userUnknown(groupErr)
	}
	if err != nil {
		return nil, nil, err
	}
	admins = s
	if s.EnableUserConfig && (len(req.UserFile) > 0 || req.UserErr != "") {
		if req.UserErr != "" {
			return nil, nil, usererr.New(usererr.Settings, "~/.dockersh "+oneLine(req.UserErr), "", nil)
		}
		own, err := config.ParseUser("~/.dockersh", req.UserFile)
		if err != nil {
			return nil, nil, err
		}
		if s, err = file.Effective(u.Name, member, own); err != nil {
			return nil, nil, err
		}
	}
	vars := policy.Vars(u)
	if err := tell(s, &vars); err != nil {
		return nil, nil, err
	}
	own := s != admins
	if s, err = s.Expand(vars); err != nil || !own {
		return s, s, err
	}
	if admins, err = admins.Expand(vars); err != nil {
		admins = nil // they do not fit this user; his own do
	}
	return s, admins, nil
}

func userUnknown(err error) error {
	if errors.Is(err, account.ErrUnknown) {
		return usererr.New(usererr.Denied, "this host does not know you", "ask the administrator", err)
	}
	return usererr.New(usererr.Unavailable, "the name service of this host does not answer", "try again, or ask the administrator", err)
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
