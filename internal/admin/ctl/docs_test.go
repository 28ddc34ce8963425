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

func TestEveryCommandIsInTheManual(t *testing.T) {
	text := read(t, page)
	for _, c := range commands() {
		if !strings.Contains(text, "\n.It Cm "+c.name) {
			t.Errorf("%s does not have %s", page, c.name)
		}
	}
}

// What a command's help says of its options is in the manual page, which has no other ones.
func TestEveryOptionIsInTheManual(t *testing.T) {
	for _, c := range commands() {
		var helped []string
		for _, o := range c.options() {
			if o.name != "--help" { // every command has it
				helped = append(helped, o.name)
			}
		}
		options := manualOptions(t, c.name)
		for _, o := range helped {
			if !slices.Contains(options, o) {
				t.Errorf("%s does not have %s of %s", page, o, c.name)
			}
		}
		for _, o := range options {
			if !slices.Contains(helped, o) {
				t.Errorf("%s has %s of %s, which its help lacks", page, o, c.name)
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
