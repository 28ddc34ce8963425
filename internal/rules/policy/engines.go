package policy

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// Engines returns the engines that a settings file names, beginning with the section for
// all users. It leaves out addresses with the user's name in them: such engines belong to
// their users. The error is that of the section for all users; where another section's
// settings do not fit together, none of its logins works.
func Engines(file *config.File) (all []engine.Address, err error) {
	add := func(user, group string) error {
		s, err := file.Merge(user, func(name string) bool { return name == group }, nil)
		if err != nil {
			return err
		}
		if at := EngineOf(s); !strings.Contains(at.Host+at.TLS, "%") && !slices.Contains(all, at) {
			all = append(all, at)
		}
		return nil
	}
	if err := add("", ""); err != nil {
		return nil, err
	}
	for _, name := range file.Groups() {
		_ = add("", name)
	}
	for _, name := range file.Users() {
		_ = add(name, "")
	}
	return all, nil
}
