package config

import "strings"

// Personal says, after Expand, that the container name has the user in it (%u
// or %U): the container is one user's alone.
func (s *Settings) Personal() bool {
	return strings.HasPrefix(s.identity, "u=") || strings.HasPrefix(s.identity, "U=") || strings.Contains(s.identity, ",U=")
}
