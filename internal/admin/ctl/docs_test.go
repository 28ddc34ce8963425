package ctl

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/admin/doctor"
)

// Whoever adds a command writes it down where people look for it.
func TestEveryCommandIsInTheManualAndInTheCompletions(t *testing.T) {
	for path, form := range map[string]string{
		"../../../docs/man/dockershctl.8":           "\n.It Cm NAME",
		"../../../dist/completion/dockershctl.bash": " NAME ",
		"../../../dist/completion/_dockershctl":     "'NAME:",
		"../../../dist/completion/dockershctl.fish": "-a NAME ",
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.ReplaceAll(string(text), "-W '", "-W ' ")
		for _, c := range commands() {
			if !strings.Contains(words, strings.ReplaceAll(form, "NAME", c.name)) {
				t.Errorf("%s does not know %s", path, c.name)
			}
		}
	}
}

// Whoever adds a check says what its findings are.
func TestEveryFindingIsInTheManual(t *testing.T) {
	text, err := os.ReadFile("../../../docs/man/dockershctl.8")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\.It Li (.*)$`).FindAllStringSubmatch(string(text), -1) {
		for _, id := range strings.Split(m[1], " , ") {
			named[id] = true
		}
	}
	for _, id := range doctor.IDs() {
		if !named[id] {
			t.Errorf("dockershctl.8 does not know %s", id)
		}
		delete(named, id)
	}
	for id := range named {
		t.Errorf("dockershctl.8 knows %s, and nothing finds it", id)
	}
}
