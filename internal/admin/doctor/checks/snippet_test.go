package checks

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

func TestPatternsOfVariablesThatAreUnsafe(t *testing.T) {
	for p, bad := range map[string]bool{
		"LANG": false, "LC_*": false, "COLORTERM": false, "GIT_*": false, "*": true, "LD_*": true, "L*D": true, "SSH_*": true, "ENV": true, "E?V": true, "": false, "PATHS": false,
	} {
		if got := len(unsafePatterns([]string{p})) > 0; got != bad {
			t.Errorf("%q: %v", p, got)
		}
	}
}

// The lines of the snippet, as options of sshd, pass the checks.
func TestSnippetPassesTheChecks(t *testing.T) {
	for _, module := range []bool{false, true} {
		testSnippet(t, module)
	}
}

func testSnippet(t *testing.T, module bool) {
	t.Helper()
	match, err := MatchUsers([]string{"alice", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := KeysLine(written(t, "[dockersh]\nmounthome\nmounthomefrom = /srv/homes/%u\n"))
	if err != nil {
		t.Fatal(err)
	}
	lines := Lines{Match: match, Front: front, File: "/etc/ssh/sshd_config", Accept: []string{"TERM", "LANG", "SSH_*", "LD_*"}, Module: module, Keys: keys}
	var options strings.Builder
	for line := range strings.Lines(Snippet(lines)) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name != "#" {
			options.WriteString(strings.ToLower(name) + " " + value + "\n")
		}
	}
	h := good(t)
	if module {
		h.PAM = goodStack()
	}
	for _, u := range h.Users {
		u.SSHD = facts.ParseOptions("acceptenv *\nsubsystem sftp internal-sftp\n")
		setOption(u, options.String())
		u.ByKey = "containername"
	}
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	if o := h.Users[0].SSHD; !o.Forces(front) || o.Get("match") != "User alice,bob" || o.Get("acceptenv") != "LANG" {
		t.Errorf("%q", o)
	}
}

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
