package ctl

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/admin/doctor"
)

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile("../../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const page = "docs/man/dockershctl.8"

func TestEveryCommandIsInTheManualAndInTheCompletions(t *testing.T) {
	for path, form := range map[string]string{
		page:                               "\n.It Cm NAME",
		"dist/completion/dockershctl.bash": " NAME ",
		"dist/completion/_dockershctl":     "'NAME:",
		"dist/completion/dockershctl.fish": "-a NAME ",
	} {
		text := read(t, path)
		for _, c := range commands() {
			if !strings.Contains(text, strings.ReplaceAll(form, "NAME", c.name)) {
				t.Errorf("%s does not have %s", path, c.name)
			}
		}
	}
}

// What a command's help says of its options is in the manual page and the completions,
// and they have no other options.
func TestEveryOptionIsInTheManualAndInTheCompletions(t *testing.T) {
	long := regexp.MustCompile(`--[a-z][a-z-]*`)
	for _, c := range commands() {
		var helped []string
		for _, o := range long.FindAllString(c.args+"\n"+strings.Split(c.more, "\nexample")[0], -1) {
			if !slices.Contains(helped, o) {
				helped = append(helped, o)
			}
		}
		for path, options := range map[string][]string{
			page:                               manualOptions(t, c.name),
			"dist/completion/dockershctl.bash": completedOptions(t, "dist/completion/dockershctl.bash", c.name, `(?m)^\t([a-z |-]+)\) options='(.*)'`, long),
			"dist/completion/_dockershctl":     completedOptions(t, "dist/completion/_dockershctl", c.name, `(?m)^\t([a-z |-]+)\) _arguments (.*) ;;$`, long),
			"dist/completion/dockershctl.fish": fishOptions(t, c.name),
		} {
			for _, o := range helped {
				if !slices.Contains(options, o) {
					t.Errorf("%s does not have %s of %s", path, o, c.name)
				}
			}
			for _, o := range options {
				if !slices.Contains(helped, o) {
					t.Errorf("%s has %s of %s, which its help lacks", path, o, c.name)
				}
			}
		}
	}
}

// manualOptions returns the long options in the synopsis and the description of a
// command, without those that it shares with others.
func manualOptions(t *testing.T, name string) (options []string) {
	text := read(t, page)
	synopsis, description, _ := strings.Cut(text, "\n.Sh DESCRIPTION")
	var parts []string
	for _, p := range strings.Split(synopsis, "\n.Nm\n.Cm ")[1:] {
		if first, _, _ := strings.Cut(p, "\n"); slices.Contains(strings.Split(first, " | "), name) {
			parts = append(parts, p)
		}
	}
	for _, p := range strings.Split(description, "\n.It Cm ")[1:] {
		p, _, _ = strings.Cut(p, "\n.Pp\nWith\n.Fl -json\n")
		if strings.HasPrefix(p, name+" ") || strings.HasPrefix(p, name+"\n") {
			parts = append(parts, p)
		}
	}
	for _, m := range regexp.MustCompile(`Fl -([a-z-]+)`).FindAllStringSubmatch(strings.Join(parts, "\n"), -1) {
		if m[1] != "help" { // every command has it
			options = append(options, "--"+m[1])
		}
	}
	return options
}

// completedOptions returns the long options of a command in a completion whose lines
// match form: commands, options.
func completedOptions(t *testing.T, path, name, form string, long *regexp.Regexp) (options []string) {
	for _, m := range regexp.MustCompile(form).FindAllStringSubmatch(read(t, path), -1) {
		if slices.Contains(strings.Split(m[1], " | "), name) {
			options = append(options, long.FindAllString(strings.ReplaceAll(m[2], "$which", "--user --all"), -1)...)
		}
	}
	return options
}

func fishOptions(t *testing.T, name string) (options []string) {
	line := regexp.MustCompile(`__fish_seen_subcommand_from ([a-z -]+)'.* -l ([a-z-]+) `)
	for _, m := range line.FindAllStringSubmatch(read(t, "dist/completion/dockershctl.fish"), -1) {
		if slices.Contains(strings.Fields(m[1]), name) {
			options = append(options, "--"+m[2])
		}
	}
	return options
}

func TestEveryFindingIsInTheManual(t *testing.T) {
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\.It Li (.*)$`).FindAllStringSubmatch(read(t, page), -1) {
		for _, id := range strings.Split(m[1], " , ") {
			named[id] = true
		}
	}
	for _, id := range doctor.IDs() {
		if !named[id] {
			t.Errorf("%s does not have %s", page, id)
		}
		delete(named, id)
	}
	for id := range named {
		t.Errorf("%s has %s, which no check finds", page, id)
	}
}
