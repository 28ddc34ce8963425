package launch

import (
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
)

// bringsVolumes reports whether a container has volumes that its image asks for beside
// directories of the host. The runtime makes the place of each as root, and follows links
// to it: into a home, for one, where users may be swapping them (CVE-2024-45310).
func bringsVolumes(made *engine.Container, asked []string) bool {
	brings, shares := false, false
	for _, m := range made.Mounts {
		switch {
		case engine.Within(m.Target, engine.OwnDir):
		case slices.Contains(made.Binds, m.Source):
			shares = true
		case !slices.ContainsFunc(asked, func(v string) bool {
			f := strings.Split(v, ":")
			return len(f) > 1 && path.Clean(f[1]) == path.Clean(m.Target)
		}):
			brings = true
		}
	}
	return brings && shares
}

const volumesMeetHost = lifecycle.Kept("its image has volumes of its own, and directories of the host are to be mounted beside them")

// planned returns what is mounted in a container that takes the place of another one, as far as
// that is known before it is made.
func planned(s engine.Spec, former []engine.Mount) *engine.Container {
	c := &engine.Container{Mounts: slices.Clone(s.Mounts)}
	for _, v := range s.Volumes {
		if f := strings.Split(v, ":"); len(f) > 1 && path.IsAbs(f[0]) {
			c.Mounts = append(c.Mounts, engine.Mount{Source: f[0], Target: f[1]})
		}
	}
	for _, m := range c.Mounts {
		c.Binds = append(c.Binds, m.Source)
	}
	for _, m := range former {
		if m.IsAnonymous() {
			c.Mounts = append(c.Mounts, m)
		}
	}
	return c
}

// attachVolumes attaches the anonymous volumes of the container before.
func attachVolumes(s *engine.Spec, former []engine.Mount) error {
	var names []string
	for _, m := range former {
		isNamed := func(v string) bool { return strings.HasPrefix(v, m.Volume+":") }
		if !m.IsAnonymous() || slices.ContainsFunc(s.Volumes, isNamed) {
			continue
		}
		// The image names the place. In the language of --volume it could name options, too.
		if !path.IsAbs(m.Target) || strings.ContainsAny(m.Target, ":,") || strings.TrimFunc(m.Target, unicode.IsSpace) != m.Target ||
			strings.ContainsFunc(m.Target, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return lifecycle.Kept("the name of the place of one of its volumes has characters that an engine does not take")
		}
		at := path.Clean(m.Target)
		s.Volumes = slices.DeleteFunc(slices.Clone(s.Volumes), func(v string) bool { return path.Clean(v) == at })
		taken := slices.ContainsFunc(s.Mounts, func(m engine.Mount) bool { return path.Clean(m.Target) == at }) ||
			slices.ContainsFunc(s.Volumes, func(v string) bool {
				f := strings.Split(v, ":")
				return len(f) > 1 && path.Clean(f[1]) == at
			})
		if taken {
			return lifecycle.Kept("the settings mount something at " + at + ", where it has a volume of its own")
		}
		v := m.Volume + ":" + m.Target
		if m.ReadOnly {
			v += ":ro"
		}
		s.Volumes, names = append(s.Volumes, v), append(names, m.Volume)
	}
	s.Labels[engine.LabelVolumes] = strings.Join(names, " ")
	return nil
}
