//go:build e2e

package e2e

import (
	"os"
	"strings"
	"sync"
	"testing"
)

// sections is the settings file: a section and its lines, in order. A test
// writes only into sections of its own users and groups.
var sections struct {
	sync.Mutex
	order []string
	lines map[string][]string
}

// set writes the account's own section.
func (a *account) set(lines ...string) error {
	return setSection(`user "`+a.name+`"`, lines...)
}

// reset is set within a test.
func (a *account) reset(t testing.TB, lines ...string) {
	t.Helper()
	if err := a.set(lines...); err != nil {
		t.Fatal(err)
	}
}

func setSection(name string, lines ...string) error {
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

func unset(name string) error {
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

// writeSettings replaces the file in one step, as an editor should.
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
	if err := os.WriteFile(settings+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(settings+".new", settings)
}

// withSettings replaces the whole settings file for the length of the test.
func withSettings(t testing.TB, text string) {
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
