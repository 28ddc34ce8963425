package policy

import (
	"slices"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// isInOwnNetwork reports whether the container is in dockersh's own network: where the settings
// name no other.
func isInOwnNetwork(s *config.Settings) bool {
	return s.Network == "" && !slices.ContainsFunc(s.DockerOpt, func(words []string) bool {
		name, _ := values.Option(words)
		return name == "--network" || name == "--net" || name == "--pod" // Podman's pods have one
	})
}
