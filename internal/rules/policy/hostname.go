package policy

import (
	"strings"

	"github.com/dockersh/dockersh/internal/rules/values"
)

// hostname returns the host name of the container: that of the settings, else the short
// name of this host. It is empty, which leaves it to the engine, where this host has no
// name that says where one is, and where another option decides.
func (p *Plan) hostname(host string) string {
	s := p.Settings
	if s.Hostname != "" {
		return s.Hostname
	}
	short, _, _ := strings.Cut(host, ".")
	if short == "localhost" || values.Hostname(short) != nil || joins(s.Network) {
		return ""
	}
	for _, words := range s.DockerOpt {
		if decidesHostname(words) {
			return ""
		}
	}
	return short
}

// decidesHostname reports whether an option of the engine's create command gives a host
// name, or none of the container's own: an engine refuses a second one.
func decidesHostname(words []string) bool {
	if len(words) == 0 {
		return false
	}
	name, value, given := strings.Cut(words[0], "=")
	if !given && len(words) > 1 {
		value = words[1]
	}
	switch name {
	case "--hostname", "--uts", "--pod":
		return true
	case "--network", "--net":
		return joins(value)
	}
	return strings.HasPrefix(name, "-h")
}

// joins reports whether a network is that of another container, and with it the host name.
func joins(network string) bool { return strings.HasPrefix(network, "container:") }
