//go:build e2e

package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// completed is what bash offers for the last of these words.
func completed(t *testing.T, words ...string) []string {
	t.Helper()
	const script = `PATH=$1:$PATH; . "$2"; shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _dockershctl; printf '%s\n' "${COMPREPLY[@]}"`
	out := run(t, append([]string{"bash", "-c", script, "bash", prefix + "/bin", prefix + "/share/bash-completion/completions/dockershctl", "dockershctl"}, words...)...)
	return strings.Fields(out)
}

func TestBashCompletesCommandsContainersUsersAndSessions(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t)
	live(t, u)
	name, id := u.name+"_dockersh", listedOf(t, u)[0].ID
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
		{[]string{"kick", "--user", u.name[:4]}, u.name},
		{[]string{"rm", "--f"}, "--force"},
		{[]string{"ls", "--"}, "--size"},
		{[]string{"help", "mes"}, "message"},
	} {
		if got := completed(t, c.words...); !slices.Contains(got, c.want) {
			t.Errorf("%q: %q, no %q", c.words, got, c.want)
		}
	}
	if got := completed(t, "commit", name, ""); len(got) != 0 {
		t.Errorf("an image is not ours to guess: %q", got)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	out, _, _ := ctl(t, "help")
	seen := 0
	for line := range strings.Lines(out) {
		command, does, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(line, "  ") || !ok {
			continue
		}
		seen++
		page, errs, status := ctl(t, "help", command)
		same, _, _ := ctl(t, command, "--help")
		if status != 0 || errs != "" || page != same || !strings.HasPrefix(page, "usage: dockershctl "+command) || !strings.Contains(strings.ToLower(page), strings.TrimSpace(does)) {
			t.Errorf("%s: %d %q %q", command, status, page, errs)
		}
	}
	if seen < 15 {
		t.Errorf("%d commands: %q", seen, out)
	}
	if _, errs, status := ctl(t, "help", "rest"); status != 1 || errs != "dockershctl: error: unknown command \"rest\"\nhint: did you mean reset?\n" {
		t.Errorf("%d %q", status, errs)
	}
	if _, err := os.Stat(prefix + "/share/zsh/site-functions/_dockershctl"); err != nil {
		t.Error(err)
	}
}
