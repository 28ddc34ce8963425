package policy

import (
	"errors"

	"github.com/dockersh/dockersh/internal/host/account"
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

// ErrUsersWord is why a connection joins no container that is not there, with KnownOnly.
var ErrUsersWord = errors.New("the container does not exist, and what ~/.dockersh has for it is not known before the login")

// Connection is what a connection of ssh joins: the network of the plan's container, or that of
// the host.
type Connection struct {
	Plan      *Plan
	OnHost    bool
	KnownOnly bool // the container is joined if it is there, and not made: ErrUsersWord
}

// DecideConnection decides what a connection of ssh joins, of which sshd knows as much as the
// administrator's settings, and no session yet. groups are those of the login that follows, and
// written the settings before Expand. The error is why it joins neither a container nor the
// host.
func DecideConnection(u account.User, groups []uint32, s, written *config.Settings) (*Connection, error) {
	p, err := Decide(u, s, Request{Admins: s, Groups: groups})
	if err != nil {
		return nil, err
	}
	switch {
	case p.HostShell != "", p.Settings.Network == NetworkHost:
		return &Connection{Plan: p, OnHost: true}, nil
	case template.Uses(written.ContainerName, "x"):
		return nil, errOwnContainers
	case !p.Engine().Local():
		return nil, errElsewhere
	case written.UserMay("containername"), written.UserMay("dockersocket"):
		return nil, errUsersChoice
	}
	return &Connection{Plan: p, KnownOnly: written.UserShapes()}, nil
}
