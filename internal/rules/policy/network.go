package policy

import (
	"slices"

	"github.com/dockersh/dockersh/internal/rules/values"
)

// ownNetwork reports whether the container is in dockersh's own network: where the settings
// name no other.
func (p *Plan) ownNetwork() bool {
	return p.Settings.Network == "" && !slices.ContainsFunc(p.Settings.DockerOpt, func(words []string) bool {
		name, _ := values.Option(words)
		return name == "--network" || name == "--net" || name == "--pod" // Podman's pods have one
	})
}
