package admin

import (
	"os"
	"strings"
	"testing"
)

// Whoever adds a command writes it down where people look for it.
func TestEveryCommandIsInTheManualAndInTheCompletions(t *testing.T) {
	for path, form := range map[string]string{
		"../../docs/man/dockershctl.8":           "\n.It Cm NAME",
		"../../dist/completion/dockershctl.bash": " NAME ",
		"../../dist/completion/_dockershctl":     "'NAME:",
		"../../dist/completion/dockershctl.fish": "-a NAME ",
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
