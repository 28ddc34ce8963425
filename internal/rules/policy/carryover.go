package policy

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// keepingOptions begin the options of dockeropt with which no container takes another one's
// place. What they mount could lie where the container before has a volume, or be filled with
// copies of its files; and a limit of a container's own file system does not count what an image
// brings.
var keepingOptions = []string{"--mount", "--storage-opt", "--tmpfs", "--volume"}

// KeepingOption returns the first of those options; empty if there is none.
func KeepingOption(s *config.Settings) string {
	for _, words := range s.DockerOpt {
		name, _ := values.Option(words)
		if slices.ContainsFunc(keepingOptions, func(o string) bool { return strings.HasPrefix(name, o) }) {
			return name
		}
		// -itv: switches come before an option in one word.
		if short := strings.TrimLeft(strings.TrimPrefix(words[0], "-"), "iPqt"); strings.HasPrefix(short, "v") {
			return "-v"
		}
	}
	return ""
}
