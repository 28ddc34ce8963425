package config

import "strings"

// Personal says, after Expand, that the container name has the user in it (%u
// or %U): the container is one user's alone.
func (s *Settings) Personal() bool { return Personal(s.identity) }

// Personal says the same of an Identity.
func Personal(identity string) bool {
	return strings.HasPrefix(identity, "u=") || strings.HasPrefix(identity, "U=") || strings.Contains(identity, ",U=")
}
