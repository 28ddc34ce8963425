//go:build e2e

package admin

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestResetUnderALiveSessionGivesTheNextLoginAFreshContainer(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t, "mounthome")
	c := e2e.LiveSession(t, u)
	c.Run("echo old >/tmp/f; echo kept >~/f")
	id := u.Container(t)
	name := u.Name + "_dockersh"
	// Without a terminal it does not remove data.
	if out, errs, status := e2e.Ctl(t, "reset", name); status != 1 || out != "" || !strings.Contains(errs, "removes the container "+name) ||
		!strings.Contains(errs, "1 session will end") || !strings.Contains(errs, "--yes") {
		t.Errorf("%d: %q %q", status, out, errs)
	}
	if got := c.Run("cat /tmp/f"); got != "old" {
		t.Errorf("%q", got)
	}
	if out := e2e.MustCtl(t, "reset", "--yes", name); out != name+": removed, 1 session ended\n" {
		t.Errorf("%q", out)
	}
	if c.Wait() == 0 {
		t.Error("the session ended with status 0")
	}
	if left := e2e.StateOf(u); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
	e2e.SSH(t, u, "cat /tmp/f 2>/dev/null; cat ~/f").Want(t, "kept\n", "", 0)
	if u.Container(t) == id {
		t.Error("it is the same container")
	}
}

func TestRmKeepsAContainerThatHasASession(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl does not touch the state of a user's own broker")
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	name := u.Name + "_dockersh"
	if out, _, status := e2e.Ctl(t, "rm", "-y", name); status != 1 || !strings.Contains(out, "1 session in it") || !strings.Contains(out, "--force") {
		t.Errorf("%d: %q", status, out)
	}
	if got := c.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	e2e.CanLogIn(t, u)
	if out := e2e.MustCtl(t, "rm", "-y", "--force", name); out != name+": removed, 1 session ended\n" {
		t.Errorf("%q", out)
	}
	c.Wait()
	e2e.ContainersGone(t, u)
	e2e.CanLogIn(t, u)
	if out := e2e.MustCtl(t, "rm", "--yes", "--user", u.Name); out != name+": removed\n" {
		t.Errorf("%q", out)
	}
	e2e.ContainersGone(t, u)
	if out := e2e.MustCtl(t, "rm", "--yes", "--user", u.Name); out != "no containers\n" {
		t.Errorf("%q", out)
	}
}

// A restart that could not start the container does not stop it either.
func TestRestartThatWouldFailLeavesTheSessionsAlone(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	dir := t.TempDir() // below a directory that everybody can write
	u := e2e.NewUser(t, "dockeropt = -v "+dir+":/theirs")
	c := e2e.LiveSession(t, u)
	if out, _, status := e2e.Ctl(t, "restart", u.Name+"_dockersh"); status != 1 || !strings.Contains(out, "can be changed by others than root") {
		t.Errorf("%d: %q", status, out)
	}
	if got := c.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
}

func TestStopStartAndRestartKeepTheWork(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "root does not start a container that mounts the user's own directory")
	u := e2e.NewUser(t)
	c := e2e.LiveSession(t, u)
	c.Run("echo work >/tmp/f")
	id, name := u.Container(t), u.Name+"_dockersh"
	state := func() string { return e2e.Inspect(t, id, "{{.State.Status}}") }
	if out := e2e.MustCtl(t, "stop", name); out != name+": stopped, 1 session ended\n" || state() != "exited" {
		t.Errorf("%q, %s", out, state())
	}
	c.Wait()
	if shown := c.Shown(); !strings.Contains(shown, "dockersh: ") {
		t.Errorf("the reason is missing: %q", shown)
	}
	if out := e2e.MustCtl(t, "stop", name); out != name+": not running\n" {
		t.Errorf("%q", out)
	}
	if out := e2e.MustCtl(t, "start", name); out != name+": started\n" || state() != "running" {
		t.Errorf("%q, %s", out, state())
	}
	if out := e2e.MustCtl(t, "start", name); out != name+": running already\n" {
		t.Errorf("%q", out)
	}
	c = e2e.LiveSession(t, u)
	if got := c.Run("cat /tmp/f"); got != "work" {
		t.Errorf("%q", got)
	}
	pid := e2e.Inspect(t, id, "{{.State.Pid}}")
	if out := e2e.MustCtl(t, "restart", "--user", u.Name); out != name+": restarted, 1 session ended\n" || e2e.Inspect(t, id, "{{.State.Pid}}") == pid {
		t.Errorf("%q", out)
	}
	c.Wait()
	e2e.SSH(t, u, "cat /tmp/f").Want(t, "work\n", "", 0)
	// The next login starts a stopped container.
	e2e.MustCtl(t, "stop", name)
	e2e.SSH(t, u, "cat /tmp/f").Want(t, "work\n", "", 0)
	if u.Container(t) != id {
		t.Error("it is another one")
	}
}

func TestLoginIntoACommittedImageFindsItsFiles(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u, other := e2e.NewUser(t), e2e.NewUser(t, "imagename = dsh-committed:day2")
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rmi", "-f", "dsh-committed:day2") })
	e2e.SSH(t, u, "echo prepared >/tmp/f").Want(t, "", "", 0)
	name := u.Name + "_dockersh"
	if out := e2e.MustCtl(t, "commit", name, "dsh-committed:day2"); !strings.HasPrefix(out, name+": dsh-committed:day2 is sha256:") {
		t.Errorf("%q", out)
	}
	e2e.SSH(t, other, "cat /tmp/f; whoami").Want(t, "prepared\n"+other.Name+"\n", "", 0)
	e2e.SSH(t, u, "cat /tmp/f").Want(t, "prepared\n", "", 0)
	// It starts as the first image does, and a container made of it by hand is not listed.
	if got := e2e.OnHost(t, "docker", "run", "--rm", "dsh-committed:day2", "sh", "-c", "id -u; cat /tmp/f"); got != "0\nprepared" {
		t.Errorf("%q", got)
	}
	hand := e2e.OnHost(t, "docker", "create", "--name", "hand-"+u.Name, "dsh-committed:day2", "true")
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rm", "-f", hand) })
	if out := e2e.MustCtl(t, "ls", "-q"); strings.Contains(out, "hand-"+u.Name) {
		t.Errorf("%q", out)
	}
	if out, _, status := e2e.Ctl(t, "commit", name, "No Name"); status != 1 || !strings.Contains(out, `"No Name" cannot be the name of one`) {
		t.Errorf("%d %q", status, out)
	}
}

// dockershctl knows containers by the labels that dockersh sets.
func TestContainersMadeByHandAreNeverTouched(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	name := "hand-made-box"
	id := e2e.OnHost(t, "docker", "run", "-d", "--name", name, "busybox", "sleep", "1000")
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rm", "-f", id) })
	for _, command := range []string{"stop", "restart", "reset", "rm"} {
		args := []string{command, name}
		if command == "reset" || command == "rm" {
			args = append(args, "--yes")
		}
		out, errs, status := e2e.Ctl(t, args...)
		if status != 1 || out != "" || !strings.HasPrefix(errs, "dockershctl: error: dockersh made no container "+name+"\nhint: ") {
			t.Errorf("%s: %d %q %q", command, status, out, errs)
		}
	}
	if got := e2e.Inspect(t, id, "{{.State.Status}}"); got != "running" {
		t.Errorf("it is %s", got)
	}
}

func TestMistypedNameIsOneLineAndAHint(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	name := u.Name + "_dockersh"
	_, errs, status := e2e.Ctl(t, "stop", name, name+"x")
	if status != 1 || errs != "dockershctl: error: dockersh made no container "+name+"x\nhint: did you mean "+name+"?\n" {
		t.Errorf("%d %q", status, errs)
	}
	if got := e2e.Inspect(t, u.Container(t), "{{.State.Status}}"); got != "running" {
		t.Errorf("a wrong command was half done: the container is %s", got)
	}
	if _, errs, status := e2e.Ctl(t, "stop", "--user", u.Name+"x"); status != 1 || !strings.Contains(errs, "no user "+u.Name+"x\nhint: did you mean "+u.Name+"?") {
		t.Errorf("%d %q", status, errs)
	}
}

// A container that is not named for its user does not belong to the one who came first.
func TestResetByUserRemovesTheUsersOwnContainersOnly(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t, "containername = shared-class")
	e2e.CanLogIn(t, u)
	if out := e2e.MustCtl(t, "reset", "--yes", "--user", u.Name); out != "no containers\n" {
		t.Errorf("%q", out)
	}
	if out := e2e.MustCtl(t, "reset", "--yes", "shared-class"); out != "shared-class: removed\n" {
		t.Errorf("%q", out)
	}
}

func TestResetAsksOnATerminal(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	for answer, want := range map[string]string{"n": "nothing was done", "": "nothing was done"} {
		c := e2e.NewConsole(t, 24, 80, e2e.CtlPath, "reset", "--user", u.Name)
		c.Expect(`\[y/N\] `)
		c.Line(answer)
		c.Expect(want)
		if status := c.Wait(); status != 1 {
			t.Errorf("%q: %d", answer, status)
		}
	}
	u.Container(t)
	c := e2e.NewConsole(t, 24, 80, e2e.CtlPath, "reset", "--user", u.Name)
	c.Expect(`\[y/N\] `)
	c.Line("y")
	c.Expect("removed")
	if status := c.Wait(); status != 0 {
		t.Errorf("%d", status)
	}
	if ids := u.Containers(t); len(ids) != 0 {
		t.Errorf("left: %q", ids)
	}
	if e2e.Door != "direct" { // the user's next broker sweeps what the last one kept
		e2e.ContainersGone(t, u)
	}
}

// Killed at any moment, it leaves the old container or none, and the next login works.
func TestKilledResetLeavesNothingHalfDone(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	for delay := range 8 {
		e2e.SSH(t, u, "echo old >/tmp/f").Want(t, "", "", 0)
		id := u.Container(t)
		cmd := exec.Command(e2e.CtlPath, "reset", "--yes", "--user", u.Name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(delay) * 30 * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		e2e.CanLogIn(t, u)
		want := "old\n"
		if u.Container(t) != id {
			want = "none\n"
		}
		e2e.SSH(t, u, "cat /tmp/f 2>/dev/null || echo none").Want(t, want, "", 0)
		if _, err := os.Lstat(e2e.RunDir + "/c/" + u.Name + "_dockersh/owner.shut"); err == nil {
			t.Error("the container is still closed to logins")
		}
	}
	e2e.MustCtl(t, "rm", "--yes", "--user", u.Name)
	e2e.ContainersGone(t, u)
}

func TestDockershctlNeedsRootAndSaysSoInOneLine(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewAccount(t, "/bin/bash")
	for _, args := range []string{"ls", "sessions", "stop --all", "start x", "restart x", "reset --all --yes", "rm x", "commit a b", "kick --all", "message --all hello"} {
		r := e2e.SSH(t, u, e2e.Prefix+"/bin/dockershctl "+args)
		command, _, _ := strings.Cut(args, " ")
		if r.Stdout != "" || r.Status != 1 || r.Stderr != "dockershctl: error: only root may run dockershctl "+command+"\nhint: sudo dockershctl "+command+"\n" {
			t.Errorf("%s: %d %q %q", args, r.Status, r.Stdout, r.Stderr)
		}
	}
}

func TestContainersAreMadeBeforeTheFirstLogin(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	const group = "dshseats"
	e2e.OnHost(t, "groupadd", "-f", group)
	var seats []*e2e.Account
	for range 3 {
		u := e2e.NewUser(t, "enableuserconfig", "enableusershell")
		e2e.OnHost(t, "usermod", "-aG", group, u.Name)
		seats = append(seats, u)
	}
	gone := e2e.NewUser(t, "ephemeral")
	e2e.OnHost(t, "usermod", "-aG", group, gone.Name)
	seats[0].WriteFile(t, ".dockersh", "[dockersh]\nshell = /bin/sh\n", 0o644)
	out := e2e.OnHost(t, "sh", "-c", e2e.CtlPath+" start --group "+group+" || [ $? = 1 ]") + "\n"
	for _, u := range seats {
		if !strings.Contains(out, u.Name+"_dockersh: made and started\n") {
			t.Errorf("%s: %s", u.Name, out)
		}
		e2e.SSH(t, u, "id -un; pwd; echo >f").Want(t, u.Name+"\n"+u.Home+"\n", "", 0)
	}
	if !strings.Contains(out, gone.Name+": not done: the container is ephemeral") {
		t.Error(out)
	}
	for line := range strings.Lines(e2e.OnHost(t, e2e.CtlPath, "sessions", "--history")) {
		if strings.Contains(line, seats[1].Name) && strings.Contains(line, "did not exist") {
			t.Errorf("the login was cold: %s", line)
		}
	}
	e2e.OnHost(t, e2e.CtlPath, "stop", seats[1].Name+"_dockersh")
	for _, want := range []string{"started", "running already"} {
		if out := e2e.OnHost(t, e2e.CtlPath, "start", "--user", seats[1].Name); !strings.Contains(out, seats[1].Name+"_dockersh: "+want) {
			t.Error(out)
		}
	}
}
