package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// hasLoginGroups reports whether a session of the plan has the groups of its login, and not
// those that the container was made with: in a container of one user, whose groups are the
// host's, with our process 1, whose /etc/group can be written.
func (p *Plan) hasLoginGroups() bool {
	s := p.Settings
	return s.Personal() && s.ContainerUserName == p.User.Name && p.User.UID != 0 && p.Engine().Local() &&
		s.Entrypoint == config.Internal && !slices.ContainsFunc(s.DockerOpt, isReadOnly)
}

// maxLoginGroups is how many supplementary groups a session can have: each is a line of the container's
// /etc/group. A user with subordinate groups (subgid(5)) can log in with 65536.
const maxLoginGroups = 1024

func admitGroups(groups []uint32) error {
	if len(groups) <= maxLoginGroups {
		return nil
	}
	text := fmt.Sprintf("this login has %d supplementary groups, and a session can have %d", len(groups), maxLoginGroups)
	return usererr.New(usererr.Denied, text, "look with: id -G", nil)
}

func isReadOnly(words []string) bool {
	name, _ := values.Option(words)
	return name == "--read-only"
}

// AgentKey names the agent that starts the plan's session among those of the container: its
// user's, with the groups that the session is to have.
func (p *Plan) AgentKey() string {
	if p.Groups == nil {
		return p.Agent
	}
	h := sha256.New()
	fmt.Fprint(h, p.User.GID, p.Groups)
	return p.Agent + "." + hex.EncodeToString(h.Sum(nil)[:8])
}

// withLoginGroups returns the groups of the login with the names that they have on the host.
func (p *Plan) withLoginGroups(known []account.Group) []account.Group {
	if p.Groups == nil {
		return known
	}
	var groups []account.Group
	for _, gid := range append([]uint32{p.User.GID}, p.Groups...) {
		at := slices.IndexFunc(known, func(g account.Group) bool { return g.GID == gid })
		if at < 0 {
			groups = append(groups, account.Group{Name: strconv.FormatUint(uint64(gid), 10), GID: gid})
			continue
		}
		groups = append(groups, known[at])
	}
	return groups
}
