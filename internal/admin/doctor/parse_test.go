package doctor

import (
	"slices"
	"strings"
	"testing"
)

func TestWhatSSHDWritesIsRead(t *testing.T) {
	o := ParseOptions("port 22\nacceptenv LANG\nacceptenv LC_*\nforcecommand none\nNoise 1\n\nsubsystem sftp internal-sftp -l INFO\r\n")
	if o.get("port") != "22" || !slices.Equal(o.words("acceptenv"), []string{"LANG", "LC_*"}) || o.get("subsystem") != "sftp internal-sftp -l INFO" || len(o) != 4 {
		t.Errorf("%q", o)
	}
	if o.forces("/usr/local/bin/dockersh") || !ParseOptions("forcecommand /x -y").forces("/x") {
		t.Error("forcecommand")
	}
}

// Whatever sshd writes: each value stands in a line of that name, and reading
// what was read gives the same.
func FuzzOptions(f *testing.F) {
	for _, seed := range []string{goodSSHD, "", "a", "a b\na c\n", "A b\n", " x\n", "x  y \r\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o := ParseOptions(text)
		var again strings.Builder
		for name, values := range o {
			if name == "" || strings.ContainsFunc(name, notPrintable) {
				t.Errorf("name %q", name)
			}
			for _, v := range values {
				if strings.ContainsAny(v, "\n") || !strings.Contains(text, name) || !strings.Contains(text, v) {
					t.Errorf("%q %q is not in %q", name, v, text)
				}
				again.WriteString(name + " " + v + "\n")
			}
		}
		second := ParseOptions(again.String())
		if len(second) != len(o) {
			t.Errorf("%q, then %q", o, second)
		}
		for name, values := range o {
			if !slices.Equal(values, second[name]) {
				t.Errorf("%s: %q, then %q", name, values, second[name])
			}
		}
	})
}

func TestWhomSSHDsFilesLeadToDockersh(t *testing.T) {
	text := "# ForceCommand " + front + `
Match User carol
	ForceCommand /bin/other
Match Group students,staff User alice,b*,!x
	X11Forwarding no
	ForceCommand "` + front + `"
match user=dave
	forcecommand=` + front + `
`
	f := forcedIn(text, front)
	if !slices.Equal(f.users, []string{"alice", "dave"}) || !slices.Equal(f.groups, []string{"students", "staff"}) || f.everybody {
		t.Errorf("%+v", f)
	}
	if !forcedIn("ForceCommand "+front+"\n", front).everybody || !forcedIn("Match User a\nMatch all\nForceCommand "+front+"\n", front).everybody {
		t.Error("everybody")
	}
}

// No name comes out that does not stand in the file, and none that is a pattern.
func FuzzForced(f *testing.F) {
	for _, seed := range []string{"Match User a,b\nForceCommand " + front + "\n", "Match", "Match all\nForceCommand=" + front, "match group \"x y\"\nforcecommand " + front} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := forcedIn(text, front)
		for _, n := range append(got.users, got.groups...) {
			if n == "" || !strings.Contains(text, n) || strings.ContainsAny(n, "*?!, \n") {
				t.Errorf("%q out of %q", n, text)
			}
		}
		if (len(got.users) > 0 || len(got.groups) > 0 || got.everybody) && !strings.Contains(text, front) {
			t.Errorf("%+v out of %q", got, text)
		}
	})
}

func TestPatternsOfVariables(t *testing.T) {
	for p, bad := range map[string]bool{
		"LANG": false, "LC_*": false, "COLORTERM": false, "GIT_*": false, "*": true, "LD_*": true, "L*D": true, "SSH_*": true, "ENV": true, "E?V": true, "": false, "PATHS": false,
	} {
		if got := len(letsPass([]string{p})) > 0; got != bad {
			t.Errorf("%q: %v", p, got)
		}
	}
}

// The snippet has what the checks look at: reading it as options passes.
func TestTheSnippetPassesTheChecks(t *testing.T) {
	match, err := MatchUsers([]string{"alice", "bob"})
	if err != nil {
		t.Fatal(err)
	}
	var options strings.Builder
	for line := range strings.Lines(Snippet(match, front, "/etc/ssh/sshd_config", []string{"TERM", "LANG", "SSH_*", "LD_*"})) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name != "#" {
			options.WriteString(strings.ToLower(name) + " " + value + "\n")
		}
	}
	h := good(t)
	for _, u := range h.Users {
		u.SSHD = ParseOptions("acceptenv *\nsubsystem sftp internal-sftp\n")
		u.option(options.String())
		u.ByKey = "containername"
	}
	if found := Judge(h); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	if o := h.Users[0].SSHD; !o.forces(front) || o.get("match") != "User alice,bob" || o.get("acceptenv") != "LANG" {
		t.Errorf("%q", o)
	}
}

func TestNamesThatSSHDConfigCannotHold(t *testing.T) {
	for _, n := range []string{"", "a,b", "a b", "a*", "!a", `DOM\a`, "a#", "ä", "a\nForceCommand none"} {
		if m, err := MatchUsers([]string{"alice", n}); err == nil {
			t.Errorf("%q: %q", n, m)
		}
		if m, err := MatchGroup(n); err == nil {
			t.Errorf("group %q: %q", n, m)
		}
	}
}
