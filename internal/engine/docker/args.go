package docker

import (
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
)

// Command is the command line that Create runs, for people to read. Create
// says besides which engine and which client configuration to use, and marks
// what it makes with a label of its own (engine.LabelCreate).
func (e *Engine) Command(s engine.Spec) []string {
	p := e.program()
	return append([]string{p.name, "create"}, p.createArgs(s)...)
}

// createArgs gives the arguments of the engine's create command. The options of
// the administrator come before ours: where both name one thing, the last
// counts. Every value is one word with its flag, so that none that begins with
// a dash becomes a flag.
func (p *program) createArgs(s engine.Spec) []string {
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
		flag("user", numbers(s.UID, s.GID))
	}
	if s.CappedLog {
		a = append(a, p.cappedLog...)
	}
	a = append(a, s.Options...)
	// Labels first: the last option may want a value and swallow our first word
	// for it, and a missing label is noticed.
	for _, k := range slices.Sorted(maps.Keys(s.Labels)) {
		flag("label", k+"="+s.Labels[k])
	}
	flag("pull", "never") // Pull fetches images, with progress; here it would block unseen
	flag("name", s.Name)
	given("hostname", s.Hostname)
	if !s.UserFirst {
		flag("user", numbers(s.UID, s.GID))
	}
	for _, g := range s.Groups {
		flag("group-add", strconv.FormatUint(uint64(g), 10))
	}
	for _, m := range s.Mounts {
		flag("mount", mountValue(m))
	}
	each("volume", s.Volumes)
	each("env", s.Env)
	given("network", s.Network)
	given("memory", s.Memory)
	given("cpus", s.CPUs)
	if s.PidsLimit > 0 {
		flag("pids-limit", strconv.Itoa(s.PidsLimit))
	} else {
		given("pids-limit", p.noPidsLimit)
	}
	each("cap-drop", s.CapDrop)
	each("cap-add", s.CapAdd)
	if s.NoNewPrivileges {
		flag("security-opt", "no-new-privileges")
	}
	if s.QuietLog {
		flag("log-driver", "none")
	}
	given("entrypoint", s.Entrypoint)
	a = append(a, "--", s.Image)
	return append(a, s.Cmd...)
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

// checkSpec refuses what the command line could not carry as it is meant.
func (p *program) checkSpec(s engine.Spec) error {
	if !validName(s.Name) {
		return fmt.Errorf("%w: %q is no container name", engine.ErrOption, s.Name)
	}
	if err := checkImage(s.Image); err != nil {
		return err
	}
	for _, m := range s.Mounts {
		// The reader of --mount makes a newline of a carriage return, and cuts
		// white space off values in some releases.
		for _, at := range []string{m.Source, m.Target} {
			if !strings.HasPrefix(at, "/") || strings.ContainsAny(at, "\r\n"+p.noMount) || strings.TrimSpace(at) != at {
				return fmt.Errorf("%w: cannot mount %q", engine.ErrOption, at)
			}
		}
	}
	for _, word := range p.createArgs(s) {
		if strings.ContainsRune(word, 0) {
			return fmt.Errorf("%w: %q has a zero byte", engine.ErrOption, word)
		}
	}
	return nil
}
