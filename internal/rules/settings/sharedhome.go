package settings

import (
	"errors"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
)

// SharedHomes returns an error for each section by which users share a container, and the home
// of who comes first would be mounted: the others would be in it without a home of their own.
// Sections of one user are left out, since only that user may be given the name.
func SharedHomes(file *config.File) error {
	var errs syntax.Errors
	seen := map[syntax.Origin]bool{}
	for _, group := range append([]string{""}, file.Groups()...) {
		s, err := Written(file, "", group)
		if err != nil {
			var wrong syntax.Errors
			if errors.As(err, &wrong) {
				continue // reported elsewhere
			}
			return err
		}
		at := s.Origin("mounthome")
		if !s.MountHome || seen[at] || template.Uses(s.ContainerName, "uUhx") || !template.Uses(s.MountHomeFrom, "uUh") {
			continue
		}
		seen[at] = true
		errs = append(errs, &syntax.Error{Origin: at,
			Text: "users share the container " + syntax.Quote(s.ContainerName) + ", and mounthome would mount the home of who comes first",
			Hint: "write volume = /srv/homes:/home, a tree in which each has a home, or a containername with %u"})
	}
	return errs.Err()
}
