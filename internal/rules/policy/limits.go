package policy

import (
	"math"
	"slices"
	"strconv"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// LimitsOf returns the limits that settings ask for.
func LimitsOf(s *config.Settings) engine.Limits {
	l := engine.Limits{Memory: int64(values.Bytes(s.Memory)), Pids: int64(s.PidsLimit)}
	if cpus, err := strconv.ParseFloat(string(s.CPUs), 64); err == nil {
		l.CPUs = int64(math.Round(cpus * 1e9))
	}
	if l.Pids == 0 {
		l.Pids = engine.NoPidsLimit
	}
	return l
}

// LimitsToSet returns what is to change of a container's limits; 0 for what is not. stays
// reports that one was taken out of the settings, which no engine can do in a container.
func LimitsToSet(s *config.Settings, has engine.Limits) (change engine.Limits, stays bool) {
	want := LimitsOf(s)
	if want.Memory != has.Memory {
		change.Memory = want.Memory
		stays = want.Memory == 0 && !isOption(s, "-m", "--memory")
	}
	if want.CPUs != has.CPUs {
		change.CPUs = want.CPUs
		stays = stays || want.CPUs == 0 && !isOption(s, "--cpus")
	}
	if want.Pids != has.Pids {
		change.Pids = want.Pids
	}
	return change, stays
}

// isOption reports whether dockeropt has an option of one of these names.
func isOption(s *config.Settings, names ...string) bool {
	return slices.ContainsFunc(s.DockerOpt, func(words []string) bool {
		name, _ := values.Option(words)
		return slices.Contains(names, name)
	})
}
