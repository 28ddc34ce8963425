package config

import (
	"fmt"
	"testing"
)

// right has a value for every setting of the table that is accepted today.
func right(r *row) string {
	switch r.key {
	case "imagename":
		return "other"
	case "containername":
		return "other_%u"
	case "containerusername":
		return "root"
	case "dockeropt":
		return "--init"
	case "reverseforward":
		return ""
	case "cmd":
		return "arg"
	case "pull":
		return "never"
	case "cpus", "pidslimit", "memory", "maxsessions":
		return "7"
	case "hostname", "network":
		return "other"
	case "env":
		return "A=1"
	case "capdrop", "capadd":
		return "ALL"
	case "acceptenv":
		return "X"
	case "onchange":
		return "recreate"
	}
	if r.later {
		return r.today
	}
	if r.kind == kindDuration {
		return "15m"
	}
	if r.kind == kindBool {
		return "true"
	}
	return "/other"
}

func TestAUserSetsWhatHisGateLetsThrough(t *testing.T) {
	gates := 0
	for i := range table {
		r := &table[i]
		if !r.gate {
			continue
		}
		gates++
		own := parsedUser(t, fmt.Sprintf("[dockersh]\n%s = %s\n", r.key, right(r)))
		base := "[dockersh]\nentrypoint = /e\nenableuserconfig\n"

		open := parsed(t, base+gatePrefix+r.key+"\n")
		s := effective(t, open, own)
		if !s.FromUser(r.key) || s.Origin(r.key).String() != "own:2" || !s.UserMay(r.key) {
			t.Errorf("%s: gate open, but from %v", r.key, s.Origin(r.key))
		}

		want := fmt.Sprintf("2:1: %q may not be set here: the administrator has not switched on enableuser%s", r.key, r.key)
		for _, text := range []string{base, base + gatePrefix + r.key + " = false\n", base + gatePrefix + r.key + "\n[user \"alice\"]\n" + gatePrefix + r.key + " = false\n"} {
			_, err := parsed(t, text).Effective("alice", nil, own)
			if got := told(t, err); got != want {
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
		if _, err := parsed(t, others).Effective("alice", nil, own); told(t, err) != want {
			t.Errorf("%s: opened by another's gate", r.key)
		}

		// Without enableuserconfig the file is not looked at.
		s = effective(t, parsed(t, "[dockersh]\nentrypoint = /e\n"+gatePrefix+r.key+"\n"), own)
		if s.FromUser(r.key) || s.UserMay(r.key) {
			t.Errorf("%s: set by ~/.dockersh, which is not to be read", r.key)
		}
	}
	if gates != 15 {
		t.Errorf("%d gates, want 15", gates)
	}
}

func TestAGateCanBeOpenForOneGroupAlone(t *testing.T) {
	f := parsed(t, "[dockersh]\nenableuserconfig\n[group \"staff\"]\nenableuserimagename\n")
	own := parsedUser(t, "[dockersh]\nimagename = mine\n")
	if s := effective(t, f, own, "staff"); s.ImageName != "mine" {
		t.Errorf("image %s", s.ImageName)
	}
	if _, err := f.Effective("alice", nil, own); err == nil {
		t.Error("open for all")
	}
}

func TestWhatHasNoGateIsNeverTheUsers(t *testing.T) {
	for i := range table {
		r := &table[i]
		if r.gate {
			continue
		}
		_, err := ParseUser("own", []byte("[dockersh]\n"+r.key+" = "+right(r)))
		want := fmt.Sprintf("2:1: %q may not be set here: only the administrator can", r.key)
		if got := told(t, err); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, key := range []string{"enableuserimagename", "enableusercmd", "enableuserdockeropt"} {
		_, err := ParseUser("own", []byte("[dockersh]\n"+key))
		if got := told(t, err); got != fmt.Sprintf("2:1: %q may not be set here: only the administrator can", key) {
			t.Errorf("%s: %s", key, got)
		}
	}
}

func TestAUsersFileHasOneSection(t *testing.T) {
	for line, want := range map[string]string{
		`[user "alice"]`: `1:2: section "user" may not stand in a user's own file [only [dockersh] is read here]`,
		`[group "g"]`:    `1:2: section "group" may not stand in a user's own file [only [dockersh] is read here]`,
		`[x]`:            `1:2: unknown section "x" [only [dockersh] is read here]`,
		`[user]`:         `1:2: section "user" may not stand in a user's own file [only [dockersh] is read here]`,
	} {
		_, err := ParseUser("own", []byte(line))
		if got := told(t, err); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	_, err := ParseUser("own", []byte("[dockersh]\nenableuserimagenam\nhostshel = /x\nimagenam = x"))
	if got, want := told(t, err), "2:1: unknown setting \"enableuserimagenam\"\n3:1: unknown setting \"hostshel\"\n4:1: unknown setting \"imagenam\" [did you mean \"imagename\"?]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAllClosedGatesAreToldAtOnce(t *testing.T) {
	own := parsedUser(t, "[dockersh]\nshell = /bin/a\nimagename = x\ncmd = c\n")
	f := parsed(t, "[dockersh]\nenableuserconfig\nenableuserimagename\n")
	_, err := f.Effective("alice", nil, own)
	want := `2:1: "shell" may not be set here: the administrator has not switched on enableusershell
4:1: "cmd" may not be set here: the administrator has not switched on enableusercmd
4:1: "cmd" needs an entrypoint of your own [set entrypoint to the program that takes these arguments]`
	if got := told(t, err); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAnEngineElsewhereIsNamedWithItsCertificates(t *testing.T) {
	for text, want := range map[string]string{
		"dockersocket = tcp://h:2376":                                "rc:2:1: an engine at tcp:// needs \"dockertls\"",
		"dockersocket = tcp://h:2376\ndockertls = /etc/dockersh-tls": "",
		"dockersocket = tcp://[::1]:2376\ndockertls = /t":            "",
		"dockersocket = ssh://h":                                     "",
		"dockersocket = ssh://%u@h:22":                               "",
	} {
		_, err := parsed(t, "[dockersh]\n"+text).Effective("alice", nil, nil)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
