package policy

import (
	"strconv"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// Owner is for whom a container was made. It is kept in the container's labels and
// beside its sockets.
type Owner struct {
	UID      uint32 // of the user whose login made it
	Identity string // config.Settings.Identity; empty: all who are given the name
}

// Probe is the identity of a container in which nobody works: it is made for a look into
// an image, and removed at once.
const Probe = "probe"

// Labels returns the owner as labels of a container.
func (o Owner) Labels() map[string]string {
	return map[string]string{
		engine.LabelOwner:    strconv.FormatUint(uint64(o.UID), 10),
		engine.LabelIdentity: o.Identity,
	}
}

// OwnerOf reads the owner from a container's labels. ok reports whether dockersh made the
// container.
func OwnerOf(labels map[string]string) (owner Owner, ok bool) {
	uid, err := strconv.ParseUint(labels[engine.LabelOwner], 10, 32)
	identity, ok := labels[engine.LabelIdentity]
	return Owner{UID: uint32(uid), Identity: identity}, err == nil && ok
}

// Personal reports whether the container belongs to one user alone, by what its name
// stood for.
func (o Owner) Personal() bool {
	return template.Personal(o.Identity) || strings.HasPrefix(o.Identity, "by=")
}

// AloneAsContainerUser reports whether nobody else becomes the plan's container user, as far as
// the settings of the plan's user say: in a container of their own, of one session, or as
// themselves in a shared one.
func (p *Plan) AloneAsContainerUser() bool {
	return p.Owner.Personal() || p.Owner.ofOneSession() || p.Settings.ContainerUserName == p.User.Name
}

// ForwardsAgent reports whether the user's ssh agent may be reached from the container. Whoever
// becomes the container user can use it, so where others do it takes the administrator's word.
func (p *Plan) ForwardsAgent() bool {
	return p.Settings.ForwardAgent && (p.Settings.IsSet("forwardagent") || p.AloneAsContainerUser())
}

// ForwardsX11 is ForwardsAgent for the user's display, and what is typed there.
func (p *Plan) ForwardsX11() bool {
	return p.Settings.ForwardX11 && (p.Settings.IsSet("forwardx11") || p.AloneAsContainerUser())
}

// Ephemeral reads from a container's labels whether it is removed after its last
// session, and after how long. To remove it takes a look at engine.LabelMark, too.
func Ephemeral(labels map[string]string) (linger time.Duration, ok bool) {
	linger, err := time.ParseDuration(labels[engine.LabelEphemeral])
	if err != nil || linger < 0 {
		return 0, false // no broker writes this
	}
	_, owned := OwnerOf(labels)
	return linger, owned
}
