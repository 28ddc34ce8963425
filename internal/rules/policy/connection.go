package policy

import (
	"errors"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// NetworkHost is the value of the setting network that leaves containers in the host's.
const NetworkHost = "host"

// Why a connection of ssh joins no container.
var (
	errOwnContainers = errors.New("each session has a container of its own (containername has %x)")
	errElsewhere     = errors.New("the container's engine is on another host")
	errUsersChoice   = errors.New("~/.dockersh may choose the container, and is not read before the login")
)

// AdmitConnection decides what a connection of ssh of the plan's user joins, of which sshd
// knows as much as the administrator's settings, and no session yet: the network of the plan's
// container, or with onHost that of the host. The error says why it joins neither. written are
// the settings before Expand.
func (p *Plan) AdmitConnection(written *config.Settings) (onHost bool, err error) {
	switch {
	case p.HostShell != "", p.Settings.Network == NetworkHost:
		return true, nil
	case template.Uses(written.ContainerName, "x"):
		return false, errOwnContainers
	case !p.Engine().Local():
		return false, errElsewhere
	case written.UserMay("containername"), written.UserMay("dockersocket"):
		return false, errUsersChoice
	}
	return false, nil
}
