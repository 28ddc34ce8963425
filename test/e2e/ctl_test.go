//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// ctl runs dockershctl as root.
func ctl(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command(prefix+"/bin/dockershctl", args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the status is what is looked at
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestLsShowsContainersWithOwnerAndSessions(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newUser(t, front)
	c := live(t, u)
	type row struct {
		Name, User, Image, State string
		UID, Sessions            int
		Size                     *int64
	}
	mine := func() (r row) {
		out, errs, status := ctl(t, "ls", "--json", "-s")
		var rows []row
		if err := json.Unmarshal([]byte(out), &rows); err != nil || status != 0 {
			t.Fatalf("%v: %q %q", err, out, errs)
		}
		for _, r := range rows {
			if r.User == u.name {
				return r
			}
		}
		t.Fatalf("%s is not listed: %s", u.name, out)
		return r
	}
	if r := mine(); r.Name != u.name+"_dockersh" || r.UID != u.uid || r.Image != "busybox" || r.State != "running" || r.Sessions != 1 || r.Size == nil || *r.Size < 0 {
		t.Errorf("%+v", r)
	}
	// The number is that of the records, so a new broker knows it, too.
	broker.restart(t, syscall.SIGTERM)
	if r := mine(); r.Sessions != 1 {
		t.Errorf("after a restart of the broker: %+v", r)
	}
	c.line("exit")
	eventually(t, "the session is counted no more", func() bool { return mine().Sessions == 0 })
	if out, _, status := ctl(t, "ls"); status != 0 || !strings.HasPrefix(out, "NAME") || !strings.Contains(out, u.name+"_dockersh") {
		t.Errorf("%d: %q", status, out)
	}
}

func TestLsShowsTheOthersWhenAnEngineIsDown(t *testing.T) {
	u := newUser(t, front)
	works(t, u)
	newUser(t, front, "dockersocket = /run/there-is-none.sock")
	out, errs, status := ctl(t, "ls")
	if status != 1 || !strings.Contains(out, u.name+"_dockersh") || !strings.HasPrefix(errs, "dockershctl: error: engine /run/there-is-none.sock: ") || strings.Count(errs, "\n") != 1 {
		t.Errorf("%d: %q %q", status, out, errs)
	}
}

func TestExplainSaysWhatALoginWouldDo(t *testing.T) {
	u := newUser(t, front, "memory = 64m", "enableuserconfig", "enableuserusercwd")
	u.file(t, ".dockersh", "[dockersh]\nusercwd = /tmp\n", 0o644)
	out, errs, status := ctl(t, "explain", u.name)
	for _, want := range []string{"64m", settings + ":", "~/.dockersh:2", u.name + "_dockersh (absent)", "docker create", "--memory=64m"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q, %q, %d", want, out, errs, status)
		}
	}
	if found := u.containers(t); len(found) != 0 {
		t.Errorf("explaining made %v", found)
	}
	works(t, u)
	if out, _, _ = ctl(t, "explain", u.name); !strings.Contains(out, "(running)") {
		t.Errorf("%q", out)
	}
	var x struct {
		Container string
		Settings  []struct{ Key, Origin string }
	}
	out, _, _ = ctl(t, "explain", "--json", u.name)
	if err := json.Unmarshal([]byte(out), &x); err != nil || x.Container != u.name+"_dockersh" || len(x.Settings) < 40 {
		t.Errorf("%v: %+v", err, x)
	}
	u.reset(t, "containername = %u-%i")
	if out, errs, _ = ctl(t, "explain", u.name, "--client", "::ffff:192.0.2.7"); !strings.Contains(out, u.name+"-192.0.2.7 (absent)") {
		t.Errorf("%q %q", out, errs)
	}
	if _, errs, status := ctl(t, "explain", "nobody-is-called-so"); status != 1 || !strings.Contains(errs, "no such user: \"nobody-is-called-so\"") {
		t.Errorf("%d: %q", status, errs)
	}
}

func TestCheckShowsAllErrorsAtOnce(t *testing.T) {
	file := scratch + "/wrong.dockershrc"
	if err := os.WriteFile(file, []byte("[dockersh]\n\timagname = x\n\tmounthome = perhaps\n[usr \"x\"]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _, status := ctl(t, "check", file)
	for _, want := range []string{file + `:2:2: unknown setting "imagname"`, `did you mean "imagename"?`, file + ":3:", file + `:4:2: unknown section "usr"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %q", want, out)
		}
	}
	if status != 1 {
		t.Errorf("status %d", status)
	}
	if out, _, status := ctl(t, "check"); status != 0 || !strings.Contains(out, settings+": no errors") {
		t.Errorf("%d: %q", status, out)
	}
	var found []struct {
		File         string
		Line, Column int
	}
	out, _, _ = ctl(t, "check", "--json", file)
	if err := json.Unmarshal([]byte(out), &found); err != nil || len(found) != 3 || found[0].Line != 2 || found[0].Column != 2 {
		t.Errorf("%v: %+v", err, found)
	}
}

func TestAWrongCommandLineIsToldSo(t *testing.T) {
	for _, args := range [][]string{{"lss"}, {"ls", "-x"}, {"explain"}, {"check", "a", "b"}, {"stop"}, {"stop", "a", "--all"}, {"kick"}, {"message", "--all"}, {"commit", "a"}, {"rm", "--user"}} {
		if out, errs, status := ctl(t, args...); status != 2 || out != "" || !strings.Contains(errs, "hint:") {
			t.Errorf("%q: %d %q %q", args, status, out, errs)
		}
	}
	if out, _, status := ctl(t); status != 0 || !strings.HasPrefix(out, "usage:") {
		t.Errorf("%d %q", status, out)
	}
}
