// Package policy decides who may enter what. It is pure: Decide makes a plan from user,
// settings and request, or refuses; the plan's Admit decides by the labels of an existing
// container.
//
// Refusals that depend on a look at the host are where the look is: settings.For (a
// group, an address or a key that cannot be learned); broker (too many connections of one
// user); lifecycle (a mount source that users can change, a mount target that users can move);
// launch (a mount that is not in its place; an image that a user chose, whose /etc/group they
// can change; a home mounted for other user numbers; a user namespace that the engine did not
// make; a dead adopted container); bringup (a paused container; a recording path that users
// can write; too many sessions that need a bridge).
package policy

import (
	"path"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// Plan is what a login gets.
type Plan struct {
	User     account.User
	Settings *config.Settings
	Admins   *config.Settings // the same without ~/.dockersh; nil if those do not fit the user

	HostShell string // if not empty, the user gets this shell on the host, and nothing below is set

	Container string // name
	Owner     Owner
	Agent     string // names the container user among those of the container; fit for a file name

	// Groups are the supplementary groups that the session is to have, sorted: the agent that
	// starts it has them. Nil: it has those that the container was made with.
	Groups []uint32

	Shell string
	Cwd   string // empty: home

	Notice []string // lines to show before the session
	Record string   // path of the recording; empty if the session is not recorded
}

// Request is what the front asks for.
type Request struct {
	Terminal   bool // stdin and stdout are terminals
	HasCommand bool

	Admins *config.Settings // becomes Plan.Admins

	// Groups are the supplementary groups of the login, sorted (account.Supplementary). Nil:
	// they are not known, or the broker cannot give them to a session.
	Groups []uint32
}

// Decide makes the plan of a login, or refuses it. s is expanded for u.
func Decide(u account.User, s *config.Settings, r Request) (*Plan, error) {
	p := &Plan{User: u, Settings: s, Admins: r.Admins, HostShell: s.HostShell, Shell: s.Shell}
	if p.HostShell != "" {
		return p, nil
	}
	if s.MountHome && path.Clean(s.MountHomeFrom) == "/" {
		// A system account, or a name service without homes: the whole host would be
		// mounted.
		return nil, usererr.New(usererr.Denied, "your home directory is the host's /, which is never mounted",
			explainHint(u, "and to give you a home directory, or to set mounthomefrom"), nil)
	}
	if !p.Engine().Local() && !p.Engine().IsCluster() {
		if err := admitRemote(u, s); err != nil {
			return nil, err
		}
	}
	p.Container = s.ContainerName
	p.Owner = Owner{UID: u.UID, Identity: s.Identity()}
	if s.FromUser("containername") {
		// A container that a user named is theirs alone: nobody else is put into it,
		// and it cannot take the name of another's.
		uid := strconv.FormatUint(uint64(u.UID), 10)
		p.Owner.Identity = "by=" + uid
		p.Container = "u" + uid + "_." + p.Container
	}
	if err := p.admitUsersWord(); err != nil {
		return nil, err
	}
	if err := p.admitHomePlace(); err != nil {
		return nil, err
	}
	if err := p.admitPod(); err != nil {
		return nil, err
	}
	p.Agent = agentKey(u, s.ContainerUserName)
	if p.hasLoginGroups() {
		if err := admitGroups(r.Groups); err != nil {
			return nil, err
		}
		p.Groups = r.Groups
	}
	if s.IsSet("usercwd") {
		p.Cwd = s.UserCwd
	}
	if r.Terminal {
		p.Record = s.Record
	}
	if s.Banner != "" && r.Terminal && !r.HasCommand {
		p.Notice = strings.Split(strings.TrimSuffix(s.Banner, "\n"), "\n")
	}
	return p, nil
}

// FallbackShell returns the administrator's shell where ~/.dockersh names another one, which
// the container may lack; else it is empty.
func (p *Plan) FallbackShell() string {
	if !p.Settings.FromUser("shell") || p.Admins == nil || p.Admins.Shell == p.Shell {
		return ""
	}
	return p.Admins.Shell
}

// Engine returns the address of the engine that has the plan's container.
func (p *Plan) Engine() engine.Address { return EngineOf(p.Settings) }

// EngineOf returns the address of the engine that settings name.
func EngineOf(s *config.Settings) engine.Address {
	at := engine.Address{Host: s.DockerSocket}
	if !at.Local() {
		at.TLS = s.DockerTLS
	}
	if at.IsCluster() {
		at.TLS = s.KubeConfig
	}
	return at
}

// admitEngineElsewhere lets the administrator alone name an engine that root's certificates and
// keys open.
func admitEngineElsewhere(s *config.Settings) error {
	if s.FromUser("dockersocket") {
		return usererr.New(usererr.Denied, "only the administrator can name an engine on another host",
			"remove dockersocket from ~/.dockersh", nil)
	}
	return nil
}

// admitRemote refuses what an engine on another host cannot do.
func admitRemote(u account.User, s *config.Settings) error {
	if err := admitEngineElsewhere(s); err != nil {
		return err
	}
	for _, m := range []struct {
		on  bool
		key string
	}{{s.MountHome, "mounthome"}, {s.MountTmp, "mounttmp"}, {s.MountDockerSocket, "mountdockersocket"}} {
		if m.on {
			return usererr.New(usererr.Settings, m.key+" mounts from the host, and the engine is on another one",
				explainHint(u, "and to unset "+m.key+"; volume can mount directories of the engine's host"), nil)
		}
	}
	if len(s.ReverseForward) > 0 {
		return usererr.New(usererr.Settings, "reverseforward leads to this host, and the engine is on another one",
			explainHint(u, "and to unset reverseforward"), nil)
	}
	return nil
}

// explainHint names the command that shows what is set for a user, and where; then what the
// administrator can do about it.
func explainHint(u account.User, then string) string {
	return "ask the administrator to run: dockershctl explain " + u.Name + " (" + then + ")"
}

// agentKey names the container user of a session without a look into the image. The
// login user's own name, a name of the image and a number differ even if they are spelt
// alike.
func agentKey(u account.User, spec string) string {
	if spec == u.Name {
		return "self-" + strconv.FormatUint(uint64(u.UID), 10)
	}
	key := "user-"
	for i := range len(spec) {
		switch c := spec[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-':
			key += string(c)
		default:
			key += "_" + strconv.FormatUint(uint64(c)+0x100, 16)[1:]
		}
	}
	return key
}
