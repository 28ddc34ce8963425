package launch

import (
	"context"
	"errors"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/containerfiles"
	"github.com/dockersh/dockersh/internal/root/mounts"
	"github.com/dockersh/dockersh/internal/root/startsocket"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

const (
	agentLimit        = 20 * time.Second // for an agent that was just started as process 1
	furtherAgentLimit = 8 * time.Second  // for one beside process 1, whose user can stop it from connecting
	firstAgentLimit   = 2 * time.Second  // for a process 1 that already runs: it asks every second
)

// agentStart is the start of an agent in a container that runs, or is about to.
type agentStart struct {
	t      *Target
	user   passwd.Identity
	socket *startsocket.Socket
	users  idmap.Map    // user numbers of the container
	root   *rootfs.Root // of the container; nil where it cannot be seen
	one    mounts.One

	hasMet bool // process 1 has had its socket

	groups  *startsocket.Groups // of the agent; nil where they are not looked at
	written bool                // they are in the container's /etc/group
}

// awaitAgent opens the socket on which an agent is expected.
func (t *Target) awaitAgent(user passwd.Identity) (*agentStart, error) {
	hasMet := startsocket.FindAgents(t.dir, t.plan.Agent)
	socket, err := startsocket.Open(t.dir, t.plan.Agent, t.plan.AgentKey(), user)
	if err != nil {
		return nil, err
	}
	return &agentStart{t: t, user: user, socket: socket, hasMet: hasMet}, nil
}

// writer returns what writes into the container, once its root directory was opened.
func (a *agentStart) writer() containerfiles.Writer {
	return containerfiles.Writer{Plan: a.t.plan, User: a.user, Root: a.root, Users: a.users, Log: a.t.l.Log}
}

func (a *agentStart) close() {
	a.socket.Close()
	_ = a.root.Close()
}

// openRoot opens a running container, and returns the number on the host that the
// container user has in it: from the kernel, which knows it even if the engine would choose
// another user namespace by now.
func (a *agentStart) openRoot(ctx context.Context, running *engine.Container) (uid uint32, err error) {
	a.root, a.users, a.one, err = mounts.OpenRoot(running)
	switch {
	case errors.Is(err, mounts.ErrNotSeen): // the direct door: its users can ask the engine for root themselves
	case errors.Is(err, idmap.ErrNested):
		return 0, usererr.New(usererr.Container, "the container's user numbers were not set up by root",
			"ask the administrator to run: dockershctl explain "+a.t.plan.User.Name+
				" (a rootless engine takes a broker that runs as its own user)", err)
	case err != nil:
		_, endErr := a.t.findRunning(ctx) // if it ended at this moment, that explains more
		return 0, errors.Join(endErr, err)
	}
	return policy.HostUID(a.users, a.user)
}

// startFurther starts an agent beside process 1: for another container user, or because
// process 1 is not ours. The container was just verified.
func (a *agentStart) startFurther(ctx context.Context, id string) error {
	a.writer().AddUser()
	if g := a.groups; g != nil && len(g.Wanted) > 0 && !g.FitsOne() {
		if a.written {
			err := a.exec(ctx, id, engine.As{Name: passwd.LoginName})
			if err == nil || ctx.Err() != nil {
				return err
			}
			a.t.l.Log.Warn("no agent with the groups of the login", "container", a.t.plan.Container, "user", a.user.Name, "cause", err)
		}
		a.socket.AcceptFewer()
	}
	return a.exec(ctx, id, engine.As{UID: a.user.UID, GID: a.user.GID})
}

// exec starts an agent and waits for it.
func (a *agentStart) exec(ctx context.Context, id string, as engine.As) error {
	if err := a.t.engine.Exec(ctx, id, as, []string{policy.InitInside}); err != nil {
		_, endErr := a.t.findRunning(ctx)
		return errors.Join(endErr, err)
	}
	err := a.wait(ctx, furtherAgentLimit)
	if errors.Is(err, startsocket.ErrOtherGroups) { // process 1 came late
		err = a.wait(ctx, furtherAgentLimit)
	}
	return err
}

// awaitUID lets the agent in that has this uid and the groups of the login.
func (a *agentStart) awaitUID(uid uint32) {
	if a.groups = a.groupsOf(); a.groups != nil {
		err := a.writer().WriteLoginGroups()
		a.written = err == nil
		if err != nil {
			a.t.l.Log.Warn("cannot write the user's groups inside", "container", a.t.plan.Container, "user", a.user.Name, "cause", err)
		}
	}
	a.socket.Await(uid, a.one.PIDs, a.groups)
}

// groupsOf returns the groups of the agent that is awaited; nil where the plan has none.
func (a *agentStart) groupsOf() *startsocket.Groups {
	if a.t.plan.Groups == nil || a.root == nil {
		return nil
	}
	g := &startsocket.Groups{GID: a.users.Groups.OutOrNobody(a.user.GID), OneGID: a.one.GID, One: a.one.Groups}
	for _, inside := range a.t.plan.Groups {
		if out, ok := a.users.Groups.Out(inside); ok {
			g.Wanted = append(g.Wanted, out)
			continue
		}
		a.t.l.Log.Warn("the container's user namespace does not have a group of the user",
			"container", a.t.plan.Container, "user", a.user.Name, "gid", inside)
	}
	return g
}

// wait waits for an agent that was just started, as long as its container runs.
func (a *agentStart) wait(ctx context.Context, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if err := a.socket.Wait(ctx, 500*time.Millisecond); !errors.Is(err, startsocket.ErrSilent) {
			return err
		}
		if _, err := a.t.findRunning(ctx); err != nil {
			return err
		}
	}
	return ErrSilent(a.t.plan.Container, startsocket.ErrSilent)
}
