package facts

import (
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// ParseMounts parses the text of a file in the format of fstab(5).
func ParseMounts(text string) []Mount {
	var out []Mount
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) >= 4 && f[0][0] != '#' {
			out = append(out, Mount{On: unescape.Replace(f[1]), Options: strings.Split(f[3], ",")})
		}
	}
	return out
}

var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// MountOf returns the mount that a path is on: the one with the longest path, and of
// several with the same path the last.
func MountOf(mounts []Mount, path string) Mount {
	var best Mount
	for _, m := range mounts {
		if (m.On == "/" || path == m.On || strings.HasPrefix(path, m.On+"/")) && len(m.On) >= len(best.On) {
			best = m
		}
	}
	return best
}

// Unmounted returns the file system of fstab that should hold a path and is not mounted,
// or nothing.
func Unmounted(fstab, mounts []Mount, path string) string {
	want := MountOf(fstab, path).On
	if want == "" || want == "/" || slices.ContainsFunc(mounts, func(m Mount) bool { return m.On == want }) {
		return ""
	}
	return want
}

// Sources returns the directories of the host that a container with these settings can
// write: the home, volumes, and mounts among the engine's options.
func Sources(s *config.Settings) []Source {
	var out []Source
	add := func(key, path string) {
		if strings.HasPrefix(path, "/") {
			out = append(out, Source{Key: key, Path: path, Origin: s.Origin(key)})
		}
	}
	if s.MountHome {
		add("mounthomefrom", s.MountHomeFrom)
	}
	for _, v := range s.Volume {
		add("volume", writable(v))
	}
	for _, words := range s.DockerOpt {
		add("dockeropt", writableByOption(words))
	}
	return out
}

// Needed returns the directories of the host without which logins with these settings are
// refused: the home, unless it is made, and volumes, read-only ones too.
func Needed(s *config.Settings) []Source {
	var out []Source
	if s.MountHome && s.MakeHome == "" {
		out = append(out, Source{Key: "mounthomefrom", Path: s.MountHomeFrom, Origin: s.Origin("mounthomefrom")})
	}
	for _, v := range s.Volume {
		if from, _, ok := strings.Cut(v, ":"); ok && strings.HasPrefix(from, "/") {
			out = append(out, Source{Key: "volume", Path: from, Origin: s.Origin("volume")})
		}
	}
	return out
}

// writable returns the source of a mount in the format of docker's -v, or nothing if
// the mount is read-only.
func writable(v string) string {
	parts := strings.Split(v, ":")
	if len(parts) > 2 {
		for _, o := range strings.Split(parts[2], ",") {
			if o == "ro" || o == "readonly" {
				return ""
			}
		}
	}
	return parts[0]
}

// writableByOption is writable for an option of docker create.
func writableByOption(words []string) string {
	option, v := values.Option(words)
	switch option {
	case "--volume", "-v":
		return writable(v)
	case "--mount":
	default:
		return ""
	}
	from := ""
	for _, field := range strings.Split(v, ",") {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "source", "src":
			from = value
		case "readonly", "ro":
			if value != "false" && value != "0" {
				return ""
			}
		}
	}
	return from
}
