package startsocket

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/root/state"
)

// No process without rights can change its groups, and an agent has none: each set of groups
// that a user logs in with has an agent of its own, started by the engine's exec. The engine
// takes the groups from the container's /etc/group, where the broker writes them first. Root inside
// can change that file, so the kernel reports at the start socket which groups an agent has. All
// that the engine starts has the groups that process 1 has by the engine's options.

// Groups are the groups of agents, as this host numbers them.
type Groups struct {
	GID, OneGID uint32   // primary groups of the user and of process 1
	Wanted, One []uint32 // supplementary ones, of the login and of process 1
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
func (g *Groups) roleOf(gid uint32, have []uint32) role {
	lacks := slices.ContainsFunc(g.Wanted, func(w uint32) bool { return w != gid && !slices.Contains(have, w) })
	extra := slices.ContainsFunc(have, func(h uint32) bool {
		return h != gid && !slices.Contains(g.Wanted, h) && !slices.Contains(g.One, h)
	})
	switch {
	case !extra && (gid == g.GID && !lacks || g.fewer && (gid == g.GID || gid == g.OneGID)):
		return asWanted
	case gid == g.OneGID && slices.Equal(account.SupplementaryOf(have, gid), account.SupplementaryOf(g.One, gid)):
		return asOne
	}
	return useless
}

// FitsOne reports whether process 1 has the groups that are wanted.
func (g *Groups) FitsOne() bool { return g.roleOf(g.OneGID, g.One) == asWanted }

// FindAgents reports whether an agent of a container user listens: then process 1 has its socket,
// and does not ask for another. The sockets of agents that have ended are removed: a user with
// subordinate groups (subgid(5)) can log in with any number of sets of groups.
func FindAgents(dir state.ContainerDir, agent string) (listens bool) {
	for _, path := range dir.AgentSocketsOf(agent) {
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
