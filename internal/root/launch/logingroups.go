package launch

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
)

// No process without rights can change its groups, and an agent has none: each set of groups
// that a user logs in with has an agent of its own, started by the engine's exec. The engine
// takes the groups from the container's /etc/group, where the broker writes them first. Root inside
// can change that file, so the kernel reports at the start socket which groups an agent has. All
// that the engine starts has the groups that process 1 has by the engine's options.

// errOtherGroups is returned when process 1 has its socket and is not the agent that is wanted.
var errOtherGroups = errors.New("process 1 does not have the groups of the login")

// agentGroups are the groups of agents, as this host numbers them.
type agentGroups struct {
	gid, oneGID uint32   // primary groups of the user and of process 1
	wanted, one []uint32 // supplementary ones, of the login and of process 1
	fewer       bool     // an agent may lack some of the wanted ones
}

// role is which socket an agent with certain groups gets.
type role int

const (
	useless role = iota
	asWanted
	asOne // process 1, which has a socket of its own, so that it does not ask for ever
)

// roleOf decides by the groups that the kernel reports.
func (g *agentGroups) roleOf(gid uint32, have []uint32) role {
	lacks := slices.ContainsFunc(g.wanted, func(w uint32) bool { return w != gid && !slices.Contains(have, w) })
	extra := slices.ContainsFunc(have, func(h uint32) bool {
		return h != gid && !slices.Contains(g.wanted, h) && !slices.Contains(g.one, h)
	})
	switch {
	case !extra && (gid == g.gid && !lacks || g.fewer && (gid == g.gid || gid == g.oneGID)):
		return asWanted
	case gid == g.oneGID && slices.Equal(account.SupplementaryOf(have, gid), account.SupplementaryOf(g.one, gid)):
		return asOne
	}
	return useless
}

// fitsOne reports whether process 1 has the groups that are wanted.
func (g *agentGroups) fitsOne() bool { return g.roleOf(g.oneGID, g.one) == asWanted }

// groupsOf returns the groups of the agent that is awaited; nil where the plan has none.
func (a *agentStart) groupsOf() *agentGroups {
	if a.t.plan.Groups == nil || a.root == nil {
		return nil
	}
	g := &agentGroups{gid: a.users.Groups.OutOrNobody(a.user.GID), oneGID: a.one.GID, one: a.one.Groups}
	for _, inside := range a.t.plan.Groups {
		if out, ok := a.users.Groups.Out(inside); ok {
			g.wanted = append(g.wanted, out)
			continue
		}
		a.t.l.Log.Warn("the container's user namespace does not have a group of the user",
			"container", a.t.plan.Container, "user", a.user.Name, "gid", inside)
	}
	return g
}

// findAgents reports whether an agent of the plan's user listens: then process 1 has its socket,
// and does not ask for another. The sockets of agents that have ended are removed: a user with
// subordinate groups (subgid(5)) can log in with any number of sets of groups.
func (t *Target) findAgents() (listens bool) {
	for _, path := range t.dir.AgentSocketsOf(t.plan.Agent) {
		fd, err := seqpacket.Connect(path)
		switch {
		case err == nil:
			_ = unix.Close(fd)
			listens = true
		case errors.Is(err, unix.EAGAIN): // its queue is full
			listens = true
		case errors.Is(err, unix.ECONNREFUSED):
			_ = os.Remove(path)
		}
	}
	return listens
}
