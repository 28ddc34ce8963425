//go:build e2e

package admin

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestLsShowsContainersWithOwnerAndSessions(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	type row struct {
		Name, User, Image, State string
		UID, Sessions            int
		Size                     *int64
	}
	mine := func() (r row) {
		out, errs, status := e2e.Ctl(t, "ls", "--json", "-s")
		var rows []row
		if err := json.Unmarshal([]byte(out), &rows); err != nil || status != 0 {
			t.Fatalf("%v: %q %q", err, out, errs)
		}
		for _, r := range rows {
			if r.User == u.Name {
				return r
			}
		}
		t.Fatalf("%s is not listed: %s", u.Name, out)
		return r
	}
	if r := mine(); r.Name != u.Name+"_dockersh" || r.UID != u.UID || r.Image != "busybox" || r.State != "running" || r.Sessions != 1 || r.Size == nil || *r.Size < 0 {
		t.Errorf("%+v", r)
	}
	// Session entries are counted, so a new broker counts the same.
	e2e.Broker.Restart(t, syscall.SIGTERM)
	if r := mine(); r.Sessions != 1 {
		t.Errorf("after a restart of the broker: %+v", r)
	}
	c.Line("exit")
	e2e.Eventually(t, "the session is counted no more", func() bool { return mine().Sessions == 0 })
	if out, _, status := e2e.Ctl(t, "ls"); status != 0 || !strings.HasPrefix(out, "NAME") || !strings.Contains(out, u.Name+"_dockersh") {
		t.Errorf("%d: %q", status, out)
	}
}

func TestLsListsOtherEnginesWhenOneIsDown(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	e2e.NewUser(t, "dockersocket = /run/there-is-none.sock")
	out, errs, status := e2e.Ctl(t, "ls")
	if status != 1 || !strings.Contains(out, u.Name+"_dockersh") || !strings.HasPrefix(errs, "dockershctl: error: engine /run/there-is-none.sock: ") || !strings.HasSuffix(errs, "\nhint: to see what has to be started, run: dockershctl doctor\n") || strings.Count(errs, "\n") != 2 {
		t.Errorf("%d: %q %q", status, out, errs)
	}
}

func TestExplainShowsWhatALoginWouldDo(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "memory = 64m", "enableuserconfig", "enableuserusercwd")
	u.WriteFile(t, ".dockersh", "[dockersh]\nusercwd = /tmp\n", 0o644)
	out, errs, status := e2e.Ctl(t, "explain", u.Name)
	for _, want := range []string{"64m", e2e.Settings + ":", "~/.dockersh:2", u.Name + "_dockersh (absent)", "docker create", "--memory=64m",
		"a connection of ssh is in the network of " + u.Name + "_dockersh.\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q, %q, %d", want, out, errs, status)
		}
	}
	if found := u.Containers(t); len(found) != 0 {
		t.Errorf("explaining made %v", found)
	}
	e2e.CanLogIn(t, u)
	if out, _, _ = e2e.Ctl(t, "explain", u.Name); !strings.Contains(out, "(running)") {
		t.Errorf("%q", out)
	}
	var x struct {
		Container string
		Settings  []struct{ Key, Origin string }
	}
	out, _, _ = e2e.Ctl(t, "explain", "--json", u.Name)
	if err := json.Unmarshal([]byte(out), &x); err != nil || x.Container != u.Name+"_dockersh" || len(x.Settings) < 40 {
		t.Errorf("%v: %+v", err, x)
	}
	for _, c := range []struct {
		line, json string
		settings   []string
	}{
		{"A connection of ssh is in the network of the host.\n", `"connection":"host"`, []string{"network = host"}},
		{"A connection of ssh is in the network of the host.\n", `"connection":"host"`, []string{"hostshell = /bin/bash"}},
		{"an empty network: each session has a container of its own", `"connection":"nothing"`, []string{"containername = %u-%x"}},
		{"an empty network: ~/.dockersh may choose the container", `"connection":"nothing"`, []string{"enableuserconfig", "enableusercontainername"}},
		{"is in the network of " + u.Name + "_dockersh.\n", `"connection":"container"`, []string{"enableuserconfig", "enableuserimagename"}},
		{"an empty network: the container does not exist", `"connection":"nothing"`, []string{"enableuserconfig", "enableuserimagename", "containername = other-%u"}},
	} {
		u.Configure(t, c.settings...)
		if out, errs, status := e2e.Ctl(t, "explain", u.Name); !strings.Contains(out, c.line) {
			t.Errorf("%q: no %q in %q, %q, %d", c.settings, c.line, out, errs, status)
		}
		if out, _, _ := e2e.Ctl(t, "explain", "--json", u.Name); !strings.Contains(out, c.json) {
			t.Errorf("%q: no %s in %s", c.settings, c.json, out)
		}
	}
	u.Configure(t, "containername = %u-%i")
	if out, errs, _ = e2e.Ctl(t, "explain", u.Name, "--client", "::ffff:192.0.2.7"); !strings.Contains(out, u.Name+"-192.0.2.7 (absent)") {
		t.Errorf("%q %q", out, errs)
	}
	if _, errs, status := e2e.Ctl(t, "explain", "nobody-is-called-so"); status != 1 || !strings.Contains(errs, "no such user: nobody-is-called-so") {
		t.Errorf("%d: %q", status, errs)
	}
}

func TestCheckShowsAllErrorsAtOnce(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	file := e2e.Scratch + "/wrong.dockershrc"
	if err := os.WriteFile(file, []byte("[dockersh]\n\timagname = x\n\tmounthome = perhaps\n[usr \"x\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _, status := e2e.Ctl(t, "check", file)
	for _, want := range []string{file + `:2:2: unknown setting "imagname"`, `did you mean "imagename"?`, file + ":3:", file + `:4:2: unknown section "usr"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
	if status != 1 {
		t.Errorf("status %d", status)
	}
	if out, _, status := e2e.Ctl(t, "check"); status != 0 || !strings.Contains(out, e2e.Settings+": no errors") {
		t.Errorf("%d: %q", status, out)
	}
	var found []struct {
		File         string
		Line, Column int
	}
	out, _, _ = e2e.Ctl(t, "check", "--json", file)
	if err := json.Unmarshal([]byte(out), &found); err != nil || len(found) != 3 || found[0].Line != 2 || found[0].Column != 2 {
		t.Errorf("%v: %+v", err, found)
	}
}

func TestWrongCommandLineIsAnErrorWithAHint(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for _, args := range [][]string{{"lss"}, {"ls", "-x"}, {"explain"}, {"check", "a", "b"}, {"stop"}, {"stop", "a", "--all"}, {"kick"}, {"message", "--all"}, {"commit", "a"}, {"rm", "--user"}} {
		if out, errs, status := e2e.Ctl(t, args...); status != 2 || out != "" || !strings.Contains(errs, "hint:") {
			t.Errorf("%q: %d %q %q", args, status, out, errs)
		}
	}
	if out, _, status := e2e.Ctl(t); status != 0 || !strings.HasPrefix(out, "usage:") {
		t.Errorf("%d %q", status, out)
	}
}

func TestCheckTriesTheSettings(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl asks the engine of the host")
	for text, want := range map[string]string{
		"[dockersh]\n": "no errors",
		"[dockersh]\nmounthome\nmounthomefrom = /none/%u\nvolume = none_%u:%h\n[user \"root\"]\nhostshell = /bin/sh\n": "no errors",
		"[dockersh]\nnetwork = none-such\n":                           ":2:",
		"[dockersh]\nmemory = 1g\n[group \"root\"]\nmemory = 1\n":     ":4:",
		"[dockersh]\n[user \"root\"]\ndockeropt = --runtime=nosuch\n": ":3:",
		"[dockersh]\nimagename = none.invalid/x\n":                    "was not tried",
	} {
		file := t.TempDir() + "/rc"
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out := e2e.OnHost(t, "sh", "-c", e2e.CtlPath+" check --engine "+file+" || [ $? = 1 ]")
		if !strings.Contains(out, want) {
			t.Errorf("%q: %s", text, out)
		}
		if out := e2e.OnHost(t, "sh", "-c", e2e.CtlPath+" check --engine --json "+file+" 2>/dev/null || [ $? = 1 ]"); !json.Valid([]byte(out)) {
			t.Errorf("%q: it is no JSON: %s", text, out)
		}
	}
	if left := e2e.OnHost(t, "docker", "ps", "-aq", "--filter", "name=dockersh-check"); left != "" {
		t.Errorf("left: %s", left)
	}
	if left := e2e.OnHost(t, "docker", "volume", "ls", "-q", "--filter", "name=none_"); left != "" {
		t.Errorf("left: %s", left)
	}
}
