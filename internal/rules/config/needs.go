package config

import (
	"path"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/suggest"
	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
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

// maxForwards is how many forwards a container has: each is a socket.
const maxForwards = 16

func needsForwards(s *Settings) *syntax.Problem {
	switch {
	case len(s.ReverseForward) == 0:
		return nil
	case len(s.ReverseForward) > maxForwards:
		return syntax.Wrong(`"reverseforward" has more than 16 lines`, "remove some of them")
	case s.Network == "host":
		return syntax.Wrong(`"reverseforward" needs a network of the container's own`,
			"remove it, or network = host; with that, the loopback of the host is the container's")
	}
	inside := map[string]bool{}
	for _, forward := range s.ReverseForward {
		_, port, _ := strings.Cut(forward, ":")
		if inside[port] {
			return syntax.Wrong("port "+port+" of the container stands in two lines", "give each service a port of its own inside")
		}
		inside[port] = true
	}
	return nil
}

// What would do nothing without a cluster is refused there.

func needsTemplate(s *Settings) *syntax.Problem { return needsCluster(s, "podtemplate", s.PodTemplate) }

func needsClaim(s *Settings) *syntax.Problem { return needsCluster(s, "homeclaim", s.HomeClaim) }

func needsCluster(s *Settings, key, value string) *syntax.Problem {
	if value == "" || strings.HasPrefix(s.DockerSocket, "kubernetes://") {
		return nil
	}
	return syntax.Wrong(`"`+key+`" is for pods of a cluster`, "set dockersocket = kubernetes://NAMESPACE, or remove "+key)
}

func needsCertificates(s *Settings) *syntax.Problem {
	if strings.HasPrefix(s.DockerSocket, "tcp://") && s.DockerTLS == "" {
		return syntax.Wrong(`an engine at tcp:// needs "dockertls"`,
			"without certificates, anyone who reaches the port controls the engine's host")
	}
	return nil
}

// needsRecord judges record by what removes old recordings: their directories stay, so there must
// not be one for each login; and each user must have one, so that no user can push out what is
// recorded of others.
func needsRecord(s *Settings) *syntax.Problem {
	if s.RecordMax == "" || s.Record == "" {
		return nil
	}
	dirs := path.Dir(s.Record)
	top, _, _ := strings.Cut(strings.TrimPrefix(dirs, "/"), "/")
	const hint = "write record as in /var/log/dockersh/%u/%x.cast"
	switch {
	case strings.Contains(top, "%"):
		return syntax.Wrong(`"recordmax" needs a first directory of "record" that is the same for all`, hint)
	case template.Uses(dirs, "hsikx"):
		return syntax.Wrong(`with "recordmax", a directory of "record" can have no %-sequence but %u, %U and %G`, hint)
	case template.Uses(s.Record, "hs"):
		return syntax.Wrong(`with "recordmax", "record" can have neither %h nor %s, which are paths`, hint)
	case !template.Uses(dirs, "uU"):
		return syntax.Wrong(`"recordmax" needs a directory for each user in "record"`, hint)
	}
	return nil
}
