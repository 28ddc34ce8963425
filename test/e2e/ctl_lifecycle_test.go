//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// ctlDone runs dockershctl, which must succeed.
func ctlDone(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, status := ctl(t, args...)
	if status != 0 || errs != "" {
		t.Fatalf("dockershctl %q: %d, %q, %q", args, status, out, errs)
	}
	return out
}

func TestResetUnderALiveSessionGivesTheNextLoginAFreshContainer(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t, "mounthome")
	c := live(t, u)
	c.run("echo old >/tmp/f; echo kept >~/f")
	id := u.container(t)
	name := u.name + "_dockersh"
	// Without a terminal it does nothing that loses data.
	if out, errs, status := ctl(t, "reset", name); status != 1 || out != "" || !strings.Contains(errs, "removes the container "+name) ||
		!strings.Contains(errs, "1 session will end") || !strings.Contains(errs, "--yes") {
		t.Errorf("%d: %q %q", status, out, errs)
	}
	if got := c.run("cat /tmp/f"); got != "old" {
		t.Errorf("%q", got)
	}
	if out := ctlDone(t, "reset", "--yes", name); out != name+": removed, 1 session ended\n" {
		t.Errorf("%q", out)
	}
	if c.wait() == 0 {
		t.Error("the session ended well")
	}
	if left := kept(u); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	ssh(t, u, "cat /tmp/f 2>/dev/null; cat ~/f").want(t, "kept\n", "", 0)
	if u.container(t) == id {
		t.Error("it is the same container")
	}
}

func TestRmLeavesAContainerWithASessionInIt(t *testing.T) {
	privileged(t, "root leaves alone what a user's own broker keeps")
	u := newBoxed(t)
	c := live(t, u)
	name := u.name + "_dockersh"
	if out, _, status := ctl(t, "rm", "-y", name); status != 1 || !strings.Contains(out, "1 session in it") || !strings.Contains(out, "--force") {
		t.Errorf("%d: %q", status, out)
	}
	if got := c.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	works(t, u)
	if out := ctlDone(t, "rm", "-y", "--force", name); out != name+": removed, 1 session ended\n" {
		t.Errorf("%q", out)
	}
	c.wait()
	gone(t, u)
	works(t, u)
	if out := ctlDone(t, "rm", "--yes", "--user", u.name); out != name+": removed\n" {
		t.Errorf("%q", out)
	}
	gone(t, u)
	if out := ctlDone(t, "rm", "--yes", "--user", u.name); out != "no containers\n" {
		t.Errorf("%q", out)
	}
}

// A restart that would end as a stop ends nothing.
func TestARestartThatWouldFailLeavesTheSessionsAlone(t *testing.T) {
	privileged(t, "dockershctl is root's")
	dir := t.TempDir() // in a directory that anybody can write
	u := newBoxed(t, "dockeropt = -v "+dir+":/theirs")
	c := live(t, u)
	if out, _, status := ctl(t, "restart", u.name+"_dockersh"); status != 1 || !strings.Contains(out, "can be changed by others than root") {
		t.Errorf("%d: %q", status, out)
	}
	if got := c.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
}

func TestStopStartAndRestartKeepTheWork(t *testing.T) {
	privileged(t, "root starts nothing into which a user's own place is mounted")
	u := newBoxed(t)
	c := live(t, u)
	c.run("echo work >/tmp/f")
	id, name := u.container(t), u.name+"_dockersh"
	state := func() string { return inspect(t, id, "{{.State.Status}}") }
	if out := ctlDone(t, "stop", name); out != name+": stopped, 1 session ended\n" || state() != "exited" {
		t.Errorf("%q, %s", out, state())
	}
	c.wait()
	if shown := c.shown(); !strings.Contains(shown, "dockersh: ") {
		t.Errorf("no word of why: %q", shown)
	}
	if out := ctlDone(t, "stop", name); out != name+": it does not run\n" {
		t.Errorf("%q", out)
	}
	if out := ctlDone(t, "start", name); out != name+": started\n" || state() != "running" {
		t.Errorf("%q, %s", out, state())
	}
	if out := ctlDone(t, "start", name); out != name+": it runs\n" {
		t.Errorf("%q", out)
	}
	c = live(t, u)
	if got := c.run("cat /tmp/f"); got != "work" {
		t.Errorf("%q", got)
	}
	pid := inspect(t, id, "{{.State.Pid}}")
	if out := ctlDone(t, "restart", "--user", u.name); out != name+": restarted, 1 session ended\n" || inspect(t, id, "{{.State.Pid}}") == pid {
		t.Errorf("%q", out)
	}
	c.wait()
	ssh(t, u, "cat /tmp/f").want(t, "work\n", "", 0)
	// Stopped, the next login starts it.
	ctlDone(t, "stop", name)
	ssh(t, u, "cat /tmp/f").want(t, "work\n", "", 0)
	if u.container(t) != id {
		t.Error("it is another one")
	}
}

func TestALoginIntoACommittedImageFindsWhatWasThere(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u, other := newBoxed(t), newBoxed(t, "imagename = dsh-committed:day2")
	t.Cleanup(func() { run(t, "docker", "rmi", "-f", "dsh-committed:day2") })
	ssh(t, u, "echo prepared >/tmp/f").want(t, "", "", 0)
	name := u.name + "_dockersh"
	if out := ctlDone(t, "commit", name, "dsh-committed:day2"); !strings.HasPrefix(out, name+": dsh-committed:day2 is sha256:") {
		t.Errorf("%q", out)
	}
	ssh(t, other, "cat /tmp/f; whoami").want(t, "prepared\n"+other.name+"\n", "", 0)
	ssh(t, u, "cat /tmp/f").want(t, "prepared\n", "", 0)
	// It starts as the image did that it came from, and what is made of it by hand is
	// not ours.
	if got := run(t, "docker", "run", "--rm", "dsh-committed:day2", "sh", "-c", "id -u; cat /tmp/f"); got != "0\nprepared" {
		t.Errorf("%q", got)
	}
	hand := run(t, "docker", "create", "--name", "hand-"+u.name, "dsh-committed:day2", "true")
	t.Cleanup(func() { run(t, "docker", "rm", "-f", hand) })
	if out := ctlDone(t, "ls", "-q"); strings.Contains(out, "hand-"+u.name) {
		t.Errorf("%q", out)
	}
	if out, _, status := ctl(t, "commit", name, "No Name"); status != 1 || !strings.Contains(out, `"No Name" is no name for one`) {
		t.Errorf("%d %q", status, out)
	}
}

// Names are of what dockersh made, by its labels.
func TestWhatWasMadeByHandIsNeverTouched(t *testing.T) {
	name := "hand-made-box"
	id := run(t, "docker", "run", "-d", "--name", name, "busybox", "sleep", "1000")
	t.Cleanup(func() { run(t, "docker", "rm", "-f", id) })
	for _, command := range []string{"stop", "restart", "reset", "rm"} {
		args := []string{command, name}
		if command == "reset" || command == "rm" {
			args = append(args, "--yes")
		}
		out, errs, status := ctl(t, args...)
		if status != 1 || out != "" || !strings.HasPrefix(errs, "dockershctl: error: dockersh made no container "+name+"\nhint: ") {
			t.Errorf("%s: %d %q %q", command, status, out, errs)
		}
	}
	if got := inspect(t, id, "{{.State.Status}}"); got != "running" {
		t.Errorf("it is %s", got)
	}
}

func TestAMistypedNameIsOneLineAndAHint(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t)
	works(t, u)
	name := u.name + "_dockersh"
	_, errs, status := ctl(t, "stop", name, name+"x")
	if status != 1 || errs != "dockershctl: error: dockersh made no container "+name+"x\nhint: did you mean "+name+"?\n" {
		t.Errorf("%d %q", status, errs)
	}
	if got := inspect(t, u.container(t), "{{.State.Status}}"); got != "running" {
		t.Errorf("half of a wrong command was done: it is %s", got)
	}
	if _, errs, status := ctl(t, "stop", "--user", u.name+"x"); status != 1 || !strings.Contains(errs, "no user "+u.name+"x\nhint: did you mean "+u.name+"?") {
		t.Errorf("%d %q", status, errs)
	}
}

// A container with a name of its own is for whoever is given it, whoever came first.
func TestAUsersContainersAreHisAlone(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t, "containername = shared-class")
	works(t, u)
	if out := ctlDone(t, "reset", "--yes", "--user", u.name); out != "no containers\n" {
		t.Errorf("%q", out)
	}
	if out := ctlDone(t, "reset", "--yes", "shared-class"); out != "shared-class: removed\n" {
		t.Errorf("%q", out)
	}
}

func TestResetAsksOnATerminal(t *testing.T) {
	u := newBoxed(t)
	works(t, u)
	for answer, want := range map[string]string{"n": "nothing was done", "": "nothing was done"} {
		c := newConsole(t, 24, 80, prefix+"/bin/dockershctl", "reset", "--user", u.name)
		c.expect(`\[y/N\] `)
		c.line(answer)
		c.expect(want)
		if status := c.wait(); status != 1 {
			t.Errorf("%q: %d", answer, status)
		}
	}
	u.container(t)
	c := newConsole(t, 24, 80, prefix+"/bin/dockershctl", "reset", "--user", u.name)
	c.expect(`\[y/N\] `)
	c.line("y")
	c.expect("removed")
	if status := c.wait(); status != 0 {
		t.Errorf("%d", status)
	}
	if ids := u.containers(t); len(ids) != 0 {
		t.Errorf("left: %q", ids)
	}
	if door != "direct" { // what a user's own broker keeps, his next one tidies
		gone(t, u)
	}
}

// Killed at whatever moment, it leaves the old container or none, and the next
// login gets in.
func TestAResetThatIsKilledLeavesNothingHalfDone(t *testing.T) {
	privileged(t, "dockershctl is root's, and looks at root's brokers")
	u := newBoxed(t)
	for delay := range 8 {
		ssh(t, u, "echo old >/tmp/f").want(t, "", "", 0)
		id := u.container(t)
		cmd := exec.Command(prefix+"/bin/dockershctl", "reset", "--yes", "--user", u.name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(delay) * 30 * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		works(t, u)
		want := "old\n"
		if u.container(t) != id {
			want = "none\n"
		}
		ssh(t, u, "cat /tmp/f 2>/dev/null || echo none").want(t, want, "", 0)
		if _, err := os.Lstat(runDir + "/c/" + u.name + "_dockersh/owner.shut"); err == nil {
			t.Error("it is shut")
		}
	}
	ctlDone(t, "rm", "--yes", "--user", u.name)
	gone(t, u)
}

func TestWhoIsNotRootIsToldSoInOneLine(t *testing.T) {
	u := newUser(t, "/bin/bash")
	for _, args := range []string{"ls", "sessions", "stop --all", "start x", "restart x", "reset --all --yes", "rm x", "commit a b", "kick --all", "message --all hello"} {
		r := ssh(t, u, prefix+"/bin/dockershctl "+args)
		command, _, _ := strings.Cut(args, " ")
		if r.stdout != "" || r.status != 1 || r.stderr != "dockershctl: error: only root may run dockershctl "+command+"\nhint: sudo dockershctl "+command+"\n" {
			t.Errorf("%s: %d %q %q", args, r.status, r.stdout, r.stderr)
		}
	}
}
