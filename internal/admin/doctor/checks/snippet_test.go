package checks

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/admin/doctor/sshdlines"
)

// The lines of the snippet, as options of sshd, pass the checks.
func TestSnippetPassesTheChecks(t *testing.T) {
	for _, module := range []bool{false, true} {
		testSnippet(t, module)
	}
}

func testSnippet(t *testing.T, module bool) {
	t.Helper()
	match, err := sshdlines.MatchUsers([]string{"alice", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	const keys = "\tAuthorizedKeysFile /srv/homes/%u/.ssh/authorized_keys .ssh/authorized_keys\n"
	lines := sshdlines.Lines{Match: match, Front: front, File: "/etc/ssh/sshd_config", Accept: []string{"TERM", "LANG", "SSH_*", "LD_*"}, Module: module, Keys: keys}
	var options strings.Builder
	for line := range strings.Lines(sshdlines.Snippet(lines)) {
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
