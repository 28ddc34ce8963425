//go:build e2e

package admin

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// completed returns what bash offers for the last of these words.
func completed(t *testing.T, words ...string) []string {
	t.Helper()
	const script = `PATH=$1:$PATH; . "$2"; shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _dockershctl; printf '%s\n' "${COMPREPLY[@]}"`
	out := e2e.OnHost(t, append([]string{"bash", "-c", script, "bash", e2e.Prefix + "/bin", e2e.Prefix + "/share/bash-completion/completions/dockershctl", "dockershctl"}, words...)...)
	return strings.Fields(out)
}

func TestBashCompletesCommandsContainersUsersAndSessions(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	e2e.LiveSession(t, u)
	name, id := u.Name+"_dockersh", listedOf(t, u)[0].ID
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"res"}, "reset"},
		{[]string{"reset", ""}, name},
		{[]string{"stop", name[:len(name)-3]}, name},
		{[]string{"commit", ""}, name},
		{[]string{"kick", ""}, id},
		{[]string{"message", id[:3]}, id},
		{[]string{"kick", "--user", u.Name[:4]}, u.Name},
		{[]string{"rm", "--f"}, "--force"},
		{[]string{"ls", "--"}, "--size"},
		{[]string{"help", "mes"}, "message"},
	} {
		if got := completed(t, c.words...); !slices.Contains(got, c.want) {
			t.Errorf("%q: %q, no %q", c.words, got, c.want)
		}
	}
	if got := completed(t, "commit", name, ""); len(got) != 0 {
		t.Errorf("images are not completed, but got %q", got)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	out, _, _ := e2e.Ctl(t, "help")
	seen := 0
	for line := range strings.Lines(out) {
		command, does, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(line, "  ") || !ok {
			continue
		}
		seen++
		page, errs, status := e2e.Ctl(t, "help", command)
		same, _, _ := e2e.Ctl(t, command, "--help")
		if status != 0 || errs != "" || page != same || !strings.HasPrefix(page, "usage: dockershctl "+command) || !strings.Contains(strings.ToLower(page), strings.TrimSpace(does)) {
			t.Errorf("%s: %d %q %q", command, status, page, errs)
		}
	}
	if seen < 15 {
		t.Errorf("%d commands: %q", seen, out)
	}
	if _, errs, status := e2e.Ctl(t, "help", "rest"); status != 1 || errs != "dockershctl: error: unknown command \"rest\"\nhint: did you mean reset?\n" {
		t.Errorf("%d %q", status, errs)
	}
	if _, err := os.Stat(e2e.Prefix + "/share/zsh/site-functions/_dockershctl"); err != nil {
		t.Error(err)
	}
}
