package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/rules/template"
)

// right returns a value for the setting that is accepted and, if there is one, is not the
// default.
func right(r *row) string {
	for _, val := range []string{"/other", "other", "7", "8080:80", "15m", "true", "false", "--init", "A=1", "ALL", "never", "recreate", "X_*"} {
		if kept, bad := r.judge(val); bad == nil && kept != r.def {
			return val
		}
	}
	return r.def
}

func TestUserSetsOnlyWhatAGateAllows(t *testing.T) {
	for i := range table {
		r := &table[i]
		if !r.gate {
			continue
		}
		own := parsedUser(t, fmt.Sprintf("[dockersh]\n%s = %s\n", r.key, right(r)))
		base := "[dockersh]\nentrypoint = /e\nenableuserconfig\n"

		open := parsed(t, base+gatePrefix+r.key+"\n")
		s := effective(t, open, own)
		if !s.FromUser(r.key) || s.Origin(r.key).String() != "own:2" || !s.UserMay(r.key) {
			t.Errorf("%s: gate open, but from %v", r.key, s.Origin(r.key))
		}

		want := fmt.Sprintf("2:1: %q is not allowed here: the administrator has not set enableuser%s", r.key, r.key)
		for _, text := range []string{base, base + gatePrefix + r.key + " = false\n", base + gatePrefix + r.key + "\n[user \"alice\"]\n" + gatePrefix + r.key + " = false\n"} {
			_, err := parsed(t, text).Merge("alice", nil, own)
			if got := lines(t, err); got != want {
				t.Errorf("%s closed: got %s, want %s", r.key, got, want)
			}
		}

		// Every other gate open does not open this one.
		others := base
		for j := range table {
			if table[j].gate && j != i {
				others += gatePrefix + table[j].key + "\n"
			}
		}
		if _, err := parsed(t, others).Merge("alice", nil, own); lines(t, err) != want {
			t.Errorf("%s: opened by another gate", r.key)
		}

		// Without enableuserconfig the file is not read.
		s = effective(t, parsed(t, "[dockersh]\nentrypoint = /e\n"+gatePrefix+r.key+"\n"), own)
		if s.FromUser(r.key) || s.UserMay(r.key) {
			t.Errorf("%s: set by ~/.dockersh, which must not be read", r.key)
		}
	}
}

func TestGateCanBeOpenForOneGroupAlone(t *testing.T) {
	f := parsed(t, "[dockersh]\nenableuserconfig\n[group \"staff\"]\nenableuserimagename\n")
	own := parsedUser(t, "[dockersh]\nimagename = mine\n")
	if s := effective(t, f, own, "staff"); s.ImageName != "mine" {
		t.Errorf("image %s", s.ImageName)
	}
	if _, err := f.Merge("alice", nil, own); err == nil {
		t.Error("open for all")
	}
}

func TestSettingWithoutAGateIsTheAdministratorsAlone(t *testing.T) {
	for i := range table {
		r := &table[i]
		if r.gate {
			continue
		}
		_, err := ParseUser("own", []byte("[dockersh]\n"+r.key+" = "+right(r)))
		want := fmt.Sprintf("2:1: %q is not allowed here: only the administrator can set it", r.key)
		if got := lines(t, err); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, key := range []string{"enableuserimagename", "enableusercmd", "enableuserdockeropt"} {
		_, err := ParseUser("own", []byte("[dockersh]\n"+key))
		if got := lines(t, err); got != fmt.Sprintf("2:1: %q is not allowed here: only the administrator can set it", key) {
			t.Errorf("%s: %s", key, got)
		}
	}
}

func TestUserFileHasOneSection(t *testing.T) {
	for line, want := range map[string]string{
		`[user "alice"]`: `1:2: section "user" is not allowed in a user's own file [only [dockersh] is read here]`,
		`[group "g"]`:    `1:2: section "group" is not allowed in a user's own file [only [dockersh] is read here]`,
		`[x]`:            `1:2: unknown section "x" [only [dockersh] is read here]`,
		`[user]`:         `1:2: section "user" is not allowed in a user's own file [only [dockersh] is read here]`,
	} {
		_, err := ParseUser("own", []byte(line))
		if got := lines(t, err); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	_, err := ParseUser("own", []byte("[dockersh]\nenableuserimagenam\nhostshel = /x\nimagenam = x"))
	if got, want := lines(t, err), "2:1: unknown setting \"enableuserimagenam\"\n3:1: unknown setting \"hostshel\"\n4:1: unknown setting \"imagenam\" [did you mean \"imagename\"?]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAllClosedGatesAreReportedAtOnce(t *testing.T) {
	own := parsedUser(t, "[dockersh]\nshell = /bin/a\nimagename = x\ncmd = c\n")
	f := parsed(t, "[dockersh]\nenableuserconfig\nenableuserimagename\n")
	_, err := f.Merge("alice", nil, own)
	want := `2:1: "shell" is not allowed here: the administrator has not set enableusershell
4:1: "cmd" is not allowed here: the administrator has not set enableusercmd
4:1: "cmd" needs an entrypoint of your own [set entrypoint to the program that takes these arguments]`
	if got := lines(t, err); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHomeIsNotMountedOverTheSystem(t *testing.T) {
	for to, want := range map[string]string{
		"/etc/pam.d": `"/etc/pam.d" is part of the container's own system [write a path such as /home/%u]`,
		"/":          `"/" is part of the container's own system [write a path such as /home/%u]`,
		"/etc/%u":    `"/etc/%u" is part of the container's own system [write a path such as /home/%u]`,
		"/root":      "", "/usr/home/%u": "", "/%s": "", // this one depends on the user
	} {
		_, err := parsed(t, "[dockersh]\nmounthome\nmounthometo = "+to).Merge("alice", nil, nil)
		got := ""
		if err != nil {
			got = strings.TrimPrefix(lines(t, err), "3:1: ")
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", to, got, want)
		}
	}
	if _, err := parsed(t, "[dockersh]\nmounthometo = /etc").Merge("alice", nil, nil); err != nil {
		t.Errorf("without mounthome: %v", err)
	}
}

func TestNamesBecomeNoPatterns(t *testing.T) {
	for pattern, fits := range map[string][]bool{ // for the users alice, * and ?x
		"registry/%u:*": {true, false, false}, "registry/%U/*": {true, true, true}, "registry/%%%u": {true, false, false}, "!x-%U": {false, false, false},
	} {
		f, err := Parse("rc", []byte("[dockersh]\nallowimage = "+pattern+"\n"))
		for i, name := range []string{"alice", "*", "?x"} {
			var s *Settings
			bad := err
			if bad == nil {
				if s, bad = f.Merge(name, nil, nil); bad == nil {
					_, bad = s.Expand(template.Vars{User: name, Home: "/home/x", UID: 7, Shell: "/bin/sh"})
				}
			}
			if (bad == nil) != fits[i] {
				t.Errorf("%s for %s: %v", pattern, name, bad)
			}
		}
	}
}

func TestRemoteEngineOverTCPNeedsCertificates(t *testing.T) {
	for text, want := range map[string]string{
		"dockersocket = tcp://h:2376":                                "rc:2:1: an engine at tcp:// needs \"dockertls\"",
		"dockersocket = tcp://h:2376\ndockertls = /etc/dockersh-tls": "",
		"dockersocket = tcp://[::1]:2376\ndockertls = /t":            "",
		"dockersocket = ssh://h":                                     "",
		"dockersocket = ssh://%u@h:22":                               "",
	} {
		_, err := parsed(t, "[dockersh]\n"+text).Merge("alice", nil, nil)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
