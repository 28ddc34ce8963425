package e2e

import (
	"os"
	"strings"
	"sync"
	"testing"
)

// sections is the settings file: each section with its lines, in order. A test
// changes only the sections of its own users and groups.
var sections struct {
	sync.Mutex
	order []string
	lines map[string][]string
}

// Set replaces the account's own section.
func (a *Account) Set(lines ...string) error {
	lines, err := a.forPods(lines)
	if err != nil {
		return err
	}
	return SetSection(`user "`+a.Name+`"`, lines...)
}

// Lines returns the account's own section as it is now.
func (a *Account) Lines() []string {
	sections.Lock()
	defer sections.Unlock()
	return sections.lines[`user "`+a.Name+`"`]
}

// Configure is Set for a test.
func (a *Account) Configure(t testing.TB, lines ...string) {
	t.Helper()
	if err := a.Set(lines...); err != nil {
		t.Fatal(err)
	}
}

// SetSection replaces a section: SetSection(`group "x"`, "mounthome").
func SetSection(name string, lines ...string) error {
	sections.Lock()
	defer sections.Unlock()
	if sections.lines == nil {
		sections.lines = map[string][]string{}
	}
	if _, ok := sections.lines[name]; !ok {
		sections.order = append(sections.order, name)
	}
	sections.lines[name] = lines
	return writeSettings()
}

// UnsetSection removes a section.
func UnsetSection(name string) error {
	sections.Lock()
	defer sections.Unlock()
	delete(sections.lines, name)
	kept := sections.order[:0]
	for _, s := range sections.order {
		if s != name {
			kept = append(kept, s)
		}
	}
	sections.order = kept
	return writeSettings()
}

// writeSettings replaces the file in one step, as an editor should. The sections are
// locked, or nothing runs yet.
func writeSettings() error {
	var b strings.Builder
	for _, name := range sections.order {
		b.WriteString("[" + name + "]\n")
		for _, line := range sections.lines[name] {
			b.WriteString("\t" + line + "\n")
		}
	}
	return replaceSettings(b.String())
}

func replaceSettings(text string) error {
	if err := os.WriteFile(Settings+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(Settings+".new", Settings)
}

// WithSettings replaces the whole settings file until the test ends.
func WithSettings(t testing.TB, text string) {
	t.Helper()
	if err := replaceSettings(text); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sections.Lock()
		defer sections.Unlock()
		if err := writeSettings(); err != nil {
			t.Error(err)
		}
	})
}
