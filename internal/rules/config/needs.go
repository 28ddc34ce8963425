package config

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/suggest"
	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/values"
)

func checkEntrypoint(s string) *syntax.Problem {
	if s == Internal {
		return nil
	}
	bad := values.Program(s)
	if bad != nil && !strings.HasPrefix(s, "/") {
		bad.Hint = suggest.Hint(s, []string{Internal}, `write "internal" or an absolute path`)
	}
	return bad
}

func needsEntrypoint(s *Settings) *syntax.Problem {
	if len(s.Cmd) > 0 && s.Entrypoint == Internal {
		return syntax.Wrong(`"cmd" needs an entrypoint of your own`, "set entrypoint to the program that takes these arguments")
	}
	return nil
}

func needsMountHome(s *Settings) *syntax.Problem {
	if s.MakeHome != "" && !s.MountHome {
		return syntax.Wrong(`"makehome" makes the directory that "mounthome" mounts`,
			"set mounthome too; without it the home in the container is made anyway")
	}
	return nil
}

func needsPrivileges(s *Settings) *syntax.Problem {
	switch {
	case !s.Sudo:
	case s.IsSet("nonewprivileges") && s.NoNewPrivileges:
		return syntax.Wrong(`"sudo" needs programs that gain privileges`, "remove nonewprivileges")
	case s.IsSet("capdrop") && slices.ContainsFunc(s.CapDrop, func(c string) bool { return c == "ALL" || c == "SETUID" || c == "SETGID" }):
		return syntax.Wrong(`"sudo" needs SETUID and SETGID`, "remove capdrop, or these from it")
	}
	return nil
}

func needsCertificates(s *Settings) *syntax.Problem {
	if strings.HasPrefix(s.DockerSocket, "tcp://") && s.DockerTLS == "" {
		return syntax.Wrong(`an engine at tcp:// needs "dockertls"`,
			"without certificates, anyone who reaches the port controls the engine's host")
	}
	return nil
}
