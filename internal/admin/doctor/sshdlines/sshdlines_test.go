package sshdlines

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

func TestNamesThatSSHDConfigCannotHoldAreErrors(t *testing.T) {
	for _, n := range []string{"", "a,b", "a b", "a*", "!a", `DOM\a`, "a#", "ä", "a\nForceCommand none"} {
		if m, err := MatchUsers([]string{"alice", n}); err == nil {
			t.Errorf("%q: %q", n, m)
		}
		if m, err := MatchGroup(n); err == nil {
			t.Errorf("group %q: %q", n, m)
		}
	}
}

func TestSnippetForwardsWhatTheSettingsCarry(t *testing.T) {
	for _, l := range []Lines{{}, {Agent: true}, {Module: true}, {Module: true, Agent: true}, {Module: true, X11: true}} {
		got := Snippet(l)
		for line, on := range map[string]bool{"AllowAgentForwarding": l.Agent, "X11Forwarding": l.X11} {
			if !strings.Contains(got, "\t"+line+map[bool]string{true: " yes\n", false: " no\n"}[on]) {
				t.Errorf("%+v: %s", l, got)
			}
		}
	}
	// Without the module the display would be the host's, whatever the settings say.
	if got := Snippet(Lines{Agent: true, X11: true}); !strings.Contains(got, "\tX11Forwarding no\n") || strings.Contains(got, "DisableForwarding") {
		t.Error(got)
	}
}

func written(t *testing.T, text string) *config.Settings {
	t.Helper()
	f, err := config.Parse("rc", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := settings.Written(f, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestKeysAreReadInTheMountedHome(t *testing.T) {
	const home = "[dockersh]\nmounthome\nmounthomefrom = "
	for text, want := range map[string]string{
		home + "/srv/homes/%u/\n":     "\tAuthorizedKeysFile /srv/homes/%u/.ssh/authorized_keys .ssh/authorized_keys\n",
		home + "%h/inside\n":          "\tAuthorizedKeysFile %h/inside/.ssh/authorized_keys .ssh/authorized_keys\n",
		home + "/srv/%i/%u\n":         "",
		home + "\"/srv/ho mes/%u\"\n": "",
		"[dockersh]\n":                "",
	} {
		line, err := KeysLine(written(t, text))
		if (err == nil) != (want != "") || !strings.HasSuffix(line, want) {
			t.Errorf("%q: %q %v", text, line, err)
		}
	}
}
