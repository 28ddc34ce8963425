// Package policy decides who may enter what. It is pure: user, settings and request
// go in, and a plan or a refusal comes out; labels of an existing container go in, and
// Admit lets its user in or not.
//
// Refusals that depend on a look at the host stand where the look is: settings.For
// (a group, an address or a key that cannot be learned), the broker (connections of
// one user), lifecycle (a mount source that users can swap), bringup (a home that was
// mounted for other numbers, a user namespace that the engine did not make).
package policy

import (
	"path"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// Plan is what a login gets.
type Plan struct {
	User     account.User
	Settings *config.Settings
	Admins   *config.Settings // the same without ~/.dockersh; nil where they do not fit him

	HostShell string // if not empty: this shell on the host, and nothing below

	Container string // name
	Owner     Owner
	Agent     string // key of the agent: which container user; fit for a file name

	Shell string
	Cwd   string // empty: home

	Address, Key string // of the client; empty: the settings did not ask

	Notice []string
	Record string // path of the recording; empty: the session is not recorded
}

// Owner says for whom a container is. It is kept as a label of the container and
// beside its sockets.
type Owner struct {
	UID      uint32 // who made it
	Identity string // config.Settings.Identity; empty: whoever is given the name
}

// Request is what the front asks for.
type Request struct {
	Terminal bool // stdin and stdout are terminals
	Command  bool
}

// Decide makes the plan of a login, or refuses it. s is expanded for u.
func Decide(u account.User, s *config.Settings, r Request) (*Plan, error) {
	p := &Plan{User: u, Settings: s, HostShell: s.HostShell, Shell: s.Shell}
	if p.HostShell != "" {
		return p, nil
	}
	if s.MountHome && path.Clean(s.MountHomeFrom) == "/" {
		// An account of the system, or a name service that tells no home: what
		// stands there is the whole host.
		return nil, usererr.New(usererr.Denied, "your home is the root of this host, and is not mounted",
			"ask the administrator to give you a home, or to set mounthomefrom", nil)
	}
	if !p.Engine().Local() {
		if err := elsewhere(s); err != nil {
			return nil, err
		}
	}
	p.Container = s.ContainerName
	p.Owner = Owner{UID: u.UID, Identity: s.Identity()}
	if s.FromUser("containername") {
		// What a user named is his alone: nobody else is put into it, and it
		// takes nobody's name.
		uid := strconv.FormatUint(uint64(u.UID), 10)
		p.Owner.Identity = "by=" + uid
		p.Container = "u" + uid + "_." + p.Container
	}
	p.Agent = agentKey(u, s.ContainerUserName)
	if s.IsSet("usercwd") {
		p.Cwd = s.UserCwd
	}
	if r.Terminal {
		p.Record = s.Record
	}
	if s.Banner != "" && r.Terminal && !r.Command {
		p.Notice = strings.Split(strings.TrimSuffix(s.Banner, "\n"), "\n")
	}
	return p, nil
}

// MayEnter tells whether the plan's user may enter an existing container of the
// plan's name that was made for owner.
//
// A name alone proves nothing: two templates may give the same one. So what the
// name stood for must agree. A literal name of the administrator's is his word that
// whoever is given it shares; a name that a user wrote himself is shared with
// nobody, neither what others made nor what he made before they came.
func (p *Plan) MayEnter(owner Owner) error {
	mine, theirs := p.Owner.Identity, owner.Identity
	users := strings.HasPrefix(mine, "by=") || strings.HasPrefix(theirs, "by=")
	if mine == theirs || !users && (mine == "" || theirs == "") {
		return nil
	}
	return usererr.New(usererr.Denied, "the container "+p.Container+" belongs to someone else",
		"ask the administrator: two users are given one container name", nil)
}

// Engine is the engine that has the plan's container.
func (p *Plan) Engine() engine.Address { return EngineOf(p.Settings) }

// EngineOf is the engine that settings name.
func EngineOf(s *config.Settings) engine.Address {
	at := engine.Address{Host: s.DockerSocket}
	if !at.Local() {
		at.TLS = s.DockerTLS
	}
	return at
}

// elsewhere refuses what an engine on another host cannot give, and what only the
// administrator may ask it for: his certificates and keys open it.
func elsewhere(s *config.Settings) error {
	if s.FromUser("dockersocket") {
		return usererr.New(usererr.Denied, "only the administrator can name an engine on another host", "take dockersocket out of ~/.dockersh", nil)
	}
	for _, m := range []struct {
		on  bool
		key string
	}{{s.MountHome, "mounthome"}, {s.MountTmp, "mounttmp"}, {s.MountDockerSocket, "mountdockersocket"}} {
		if m.on {
			return usererr.New(usererr.Settings, m.key+" means this host, and the engine is on another one",
				"ask the administrator: a volume can mount what is there", nil)
		}
	}
	return nil
}

// MayAdopt tells whether the plan's user may enter a container of the plan's name
// that dockersh did not make. The administrator gave it to whoever gets its name:
// nothing on it says for whom it is.
func (p *Plan) MayAdopt() bool { return p.Settings.Adopt && !p.Settings.FromUser("containername") }

// Streams tells whether the session may have to go over the engine's exec: where
// there is no agent of ours.
func (p *Plan) Streams() bool { return p.MayAdopt() || !p.Engine().Local() }

// Probe is the identity of a container in which nobody works: it is made to look
// into an image, and removed at once.
const Probe = "probe"

// Personal tells whether the container is its user's alone, by what the name stood
// for.
func (o Owner) Personal() bool {
	return template.Personal(o.Identity) || strings.HasPrefix(o.Identity, "by=")
}

// Labels gives the owner as labels of a container.
func (o Owner) Labels() map[string]string {
	return map[string]string{
		engine.LabelOwner:    strconv.FormatUint(uint64(o.UID), 10),
		engine.LabelIdentity: o.Identity,
	}
}

// OwnerOf reads the owner from a container's labels; false if dockersh did not
// make the container.
func OwnerOf(labels map[string]string) (Owner, bool) {
	uid, err := strconv.ParseUint(labels[engine.LabelOwner], 10, 32)
	identity, ok := labels[engine.LabelIdentity]
	return Owner{UID: uint32(uid), Identity: identity}, err == nil && ok
}

// agentKey names the container user of a session without asking what the image
// knows of him. The login user's own name, a name of the image and a number are
// apart even where they are spelt alike.
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
