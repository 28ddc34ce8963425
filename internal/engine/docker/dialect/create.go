package dialect

import (
	"cmp"
	"encoding/csv"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
)

// Command is the command line that makes a container, for people to read. Create
// adds which engine and which client configuration to use, and engine.LabelCreate.
func (d *Dialect) Command(s engine.Spec) []string {
	return append([]string{d.Program, "create"}, d.createArgs(s)...)
}

// createArgs returns the arguments of the create command. The options of the
// administrator come before ours: where both name one thing, the last counts. Every
// value is one word with its flag, so that a value that begins with a dash does not
// become a flag.
func (d *Dialect) createArgs(s engine.Spec) []string {
	var a []string
	flag := func(name, value string) { a = append(a, "--"+name+"="+value) }
	given := func(name, value string) {
		if value != "" {
			flag(name, value)
		}
	}
	each := func(name string, values []string) {
		for _, v := range values {
			flag(name, v)
		}
	}

	if s.UserFirst {
		flag("user", User(s.UID, s.GID))
	}
	if s.CappedLog {
		a = append(a, d.cappedLog...)
	}
	a = append(a, s.Options...)
	// Labels first: the last option may want a value and swallow our first word
	// for it, and a missing label is noticed.
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		flag("label", k+"="+s.Labels[k])
	}
	flag("pull", "never") // Engine.Pull fetches images, with progress; here it would block unseen
	flag("name", s.Name)
	given("hostname", s.Hostname)
	if !s.UserFirst {
		flag("user", User(s.UID, s.GID))
	}
	for _, g := range s.Groups {
		flag("group-add", strconv.FormatUint(uint64(g), 10))
	}
	for _, m := range s.Mounts {
		flag("mount", mountValue(m))
	}
	for _, v := range s.Volumes {
		flag("volume", volumeValue(v, s.ForeignImage || s.Layer != ""))
	}
	each("env", s.Env)
	given("network", s.Network)
	if s.OwnNetwork {
		given("network", d.OwnNetwork(s.Name))
	}
	given("memory", s.Memory)
	given("shm-size", s.ShmSize)
	given("cpus", s.CPUs)
	if s.PidsLimit > 0 {
		flag("pids-limit", strconv.Itoa(s.PidsLimit))
	} else {
		given("pids-limit", d.noPidsLimit)
	}
	each("cap-drop", s.CapDrop)
	each("cap-add", s.CapAdd)
	if s.NoNewPrivileges {
		flag("security-opt", "no-new-privileges")
	}
	if s.QuietLog {
		flag("log-driver", "none")
	}
	if s.NoHealthCheck {
		a = append(a, "--no-healthcheck")
	}
	if s.ForeignImage {
		a = append(a, "--workdir=/")
	}
	given("entrypoint", s.Entrypoint)
	a = append(a, "--", cmp.Or(s.Layer, s.Image))
	return append(a, s.Cmd...)
}

// ImageEnv returns options that add to the environment of an image, and take from it.
func (d *Dialect) ImageEnv(set, unset []string) (a []string) {
	for _, name := range unset {
		if !slices.Contains(d.ownEnv, name) {
			a = append(a, d.unsetEnv+name)
		}
	}
	for _, e := range set {
		a = append(a, "--env="+e)
	}
	return a
}

// mountValue writes a bind mount in the option language of --mount, which is
// one record of comma-separated values: a comma or quote in a path is quoted.
func mountValue(m engine.Mount) string {
	fields := []string{"type=bind", "source=" + m.Source, "target=" + m.Target}
	if m.ReadOnly {
		fields = append(fields, "readonly")
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(fields) // a strings.Builder takes everything
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}

// volumeValue writes a volume. The engine fills an empty named volume with what the image
// has at its place, owners and setuid bits included, unless it is told not to.
func volumeValue(v string, foreign bool) string {
	source, place, named := strings.Cut(v, ":")
	if !foreign || !named || strings.HasPrefix(source, "/") {
		return v
	}
	if strings.Contains(place, ":") {
		return v + ",nocopy"
	}
	return v + ":nocopy"
}

// User writes a user as an engine takes it. Both numbers are given: with the
// user's alone the engine would take the groups of the image's /etc/group.
func User(uid, gid uint32) string {
	return strconv.FormatUint(uint64(uid), 10) + ":" + strconv.FormatUint(uint64(gid), 10)
}
