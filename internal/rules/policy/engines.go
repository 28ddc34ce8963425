package policy

import (
	"errors"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// Engines returns the engines that a settings file names, beginning with the section for
// all users. It leaves out addresses with the user's name in them: such engines belong to
// their users. The error is that of the section for all users; where another section's
// settings do not fit together, none of its logins works.
func Engines(file *config.File) ([]engine.Address, error) {
	all, err := enginesOf(file)
	return slices.DeleteFunc(all, isOfUsers), err
}

// EnginesOfUsers returns the addresses that Engines leaves out, as they are written.
func EnginesOfUsers(file *config.File) ([]engine.Address, error) {
	all, err := enginesOf(file)
	return slices.DeleteFunc(all, func(at engine.Address) bool { return !isOfUsers(at) }), err
}

func isOfUsers(at engine.Address) bool { return strings.Contains(at.Host+at.TLS, "%") }

func enginesOf(file *config.File) (all []engine.Address, err error) {
	err, _ = forEachSection(file, func(s *config.Settings) {
		all = engine.AppendAddress(all, EngineOf(s))
	})
	return all, err
}

// forEachSection calls do with the settings of a user whom no other section names, of the
// members of each group, and of each user. The errors are that of the section for all users, after
// which there are no others, and those of the others.
func forEachSection(file *config.File, do func(*config.Settings)) (ofAll, ofOthers error) {
	add := func(user, group string) error {
		s, err := file.Merge(user, func(name string) bool { return name == group }, nil)
		if err == nil {
			do(s)
		}
		return err
	}
	if err := add("", ""); err != nil {
		return err, nil
	}
	for _, name := range file.Groups() {
		ofOthers = errors.Join(ofOthers, add("", name))
	}
	for _, name := range file.Users() {
		ofOthers = errors.Join(ofOthers, add(name, ""))
	}
	return nil, ofOthers
}
