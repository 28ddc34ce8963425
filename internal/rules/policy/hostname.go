package policy

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// hostnameOf returns the host name of the container: that of the settings, else the short
// name of this host. It is empty, which leaves it to the engine, where this host has no
// name that shows where one is, and where another option decides.
func hostnameOf(s *config.Settings, host string) string {
	if s.Hostname != "" {
		return s.Hostname
	}
	short, _, _ := strings.Cut(host, ".")
	if short == "localhost" || values.Hostname(short) != nil || joins(s.Network) {
		return ""
	}
	if slices.ContainsFunc(s.DockerOpt, decidesHostname) {
		return ""
	}
	return short
}

// decidesHostname reports whether an option of the engine's create command sets the host
// name, or lets the container have none of its own: an engine refuses a second one.
func decidesHostname(words []string) bool {
	switch name, value := values.Option(words); name {
	case "--hostname", "-h", "--uts", "--pod":
		return true
	case "--network", "--net":
		return joins(value)
	}
	return false
}

// joins reports whether a network is that of another container, and with it the host name.
func joins(network string) bool { return strings.HasPrefix(network, "container:") }
