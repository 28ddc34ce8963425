//go:build e2e

package engines

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// createByHand makes a container by hand, until the test ends.
func createByHand(t testing.TB, name string, args ...string) {
	t.Helper()
	e2e.OnHost(t, append([]string{"docker", "create", "--name", name}, args...)...)
	t.Cleanup(func() { _ = e2e.TryDocker("rm", "-f", name) })
}

// newAdopter adds a user whose container is made by hand and called "hand-" and the user's
// name.
func newAdopter(t *testing.T, lines ...string) (u *e2e.Account, container string) {
	t.Helper()
	u = e2e.NewUser(t)
	container = "hand-" + u.Name
	if err := u.Set(append([]string{"containername = " + container, "adopt", "usercwd = /tmp"}, lines...)...); err != nil {
		t.Fatal(err)
	}
	return u, container
}

func TestAdoptedContainerIsStartedAndEnteredAndNotChanged(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	e2e.OnHost(t, "docker", "start", name) // which changes OomKillDisable, with cgroup v2
	e2e.OnHost(t, "docker", "stop", "-t", "0", name)
	const what = "{{.Id}} {{.Image}} {{.Config}} {{.HostConfig}} {{.Mounts}}"
	before := e2e.Inspect(t, name, what)
	e2e.SSH(t, u, "echo in; id -u").Want(t, fmt.Sprintf("in\n%d\n", u.UID), "", 0)
	// Stopped, it is started again.
	e2e.OnHost(t, "docker", "stop", "-t", "0", name)
	e2e.CanLogIn(t, u)
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	c.Line("exit 3")
	if status := c.Wait(); status != 3 {
		t.Errorf("status %d, want 3", status)
	}
	if after := e2e.Inspect(t, name, what); after != before {
		t.Errorf("it was\n%s\nand is\n%s", before, after)
	}
	if diff := e2e.OnHost(t, "docker", "diff", name); diff != "" {
		t.Errorf("in its file system: %s", diff)
	}
	if got := e2e.Inspect(t, name, "{{len .ExecIDs}}"); got != "0" {
		t.Errorf("%s programs are left in it", got)
	}
	if len(u.Containers(t)) != 0 {
		t.Error("dockersh made another container")
	}
}

func TestAdoptCreatesNoContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	e2e.SSH(t, u, "true").Refused(t, "there is no container "+name)
	if got := e2e.OnHost(t, "docker", "ps", "-aq", "--filter", "name="+name); got != "" {
		t.Errorf("there is one now: %s", got)
	}
}

func TestPausedAdoptedContainerIsAnErrorNotAHang(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	e2e.CanLogIn(t, u)
	e2e.OnHost(t, "docker", "pause", name)
	r := e2e.SSH(t, u, "true")
	e2e.OnHost(t, "docker", "unpause", name)
	r.Refused(t, "paused")
	e2e.CanLogIn(t, u)
}

func TestContainerThatAUserNamesIsNotAdopted(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t, "adopt", "enableuserconfig", "enableusercontainername")
	victim := "hand-" + u.Name
	own := fmt.Sprintf("u%d_.%s", u.UID, victim)
	for _, name := range []string{victim, own} {
		createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	}
	u.WriteFile(t, ".dockersh", "[dockersh]\ncontainername = "+victim+"\n", 0o644)
	e2e.SSH(t, u, "true").Refused(t, own)
	u.WriteFile(t, ".dockersh", "[dockersh]\nadopt\n", 0o644)
	e2e.SSH(t, u, "true").Refused(t, "there is no container "+u.Name)
	for _, name := range []string{victim, own} {
		if got := e2e.Inspect(t, name, "{{.State.Status}}"); got != "created" {
			t.Errorf("%s is %s now", name, got)
		}
	}
}

func TestShellThatAnAdoptedContainerLacksIsReplaced(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t, "shell = /bin/ash", "enableuserconfig", "enableusershell")
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	u.WriteFile(t, ".dockersh", "[dockersh]\nshell = /bin/zsh\n", 0o644)
	const line = "dockersh: /bin/zsh cannot be run in the container, so the shell of ~/.dockersh is ignored\n"
	e2e.SSH(t, u, "echo $SHELL; exit 3").Want(t, "/bin/ash\n", line, 3)
}

func TestContainerWithForeignLabelsIsNotAdopted(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	for _, labels := range [][]string{
		{"--label=dockersh.uid=0", "--label=dockersh.identity=by=0"},
		{"--label=dockersh.uid=0"},
	} {
		e2e.OnHost(t, append(append([]string{"docker", "create", "--name", name}, labels...), "dsh-busybox", "sleep", "infinity")...)
		e2e.SSH(t, u, "true").Refused(t, name)
		if got := e2e.Inspect(t, name, "{{.State.Status}}"); got != "created" {
			t.Errorf("it is %s now", got)
		}
		e2e.OnHost(t, "docker", "rm", "-f", name)
	}
}

func TestContainerUsersOfAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	for spec, want := range map[string]string{"root": "0:0", "games": "5:60", "4711": "4711:4711", "4711:4712": "4711:4712"} {
		u, name := newAdopter(t, "containerusername = "+spec, "shell = /bin/bash")
		createByHand(t, name, "dsh-debian", "sleep", "infinity")
		if got := e2e.SSH(t, u, "echo $(id -u):$(id -g)"); got.Stdout != want+"\n" || got.Status != 0 {
			t.Errorf("%s: %+v, want %s", spec, got, want)
		}
	}
}

// The runtime writes its error for a missing program as the program's output, which scp
// and git would take for data.
func TestMissingShellOfAnAdoptedContainerIsNotOutput(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t, "shell = /bin/nosuch")
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	e2e.SSH(t, u, "true").Refused(t, "there is no /bin/nosuch in the container")
	// The container lacks even the shell that dockersh needs.
	v, bare := newAdopter(t)
	e2e.OnHost(t, "sh", "-c", "mkdir -p /run/bare && cp $(command -v busybox) /run/bare/sleep && tar -C /run/bare -c . | docker import - dsh-bare")
	createByHand(t, bare, "dsh-bare", "/sleep", "1000000")
	e2e.SSH(t, v, "true").Refused(t, "there is no /bin/sh in the container")
	c := e2e.SSHConsole(t, v)
	c.Expect("there is no /bin/sh in the container")
	if status := c.Wait(); status != 255 {
		t.Errorf("status %d", status)
	}
}

func TestAdoptedContainerEndsUnderASession(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	for what, argv := range map[string][]string{"stopped": {"stop", "-t", "1"}, "removed": {"rm", "-f"}} {
		createByHand(t, name, "dsh-busybox", "sleep", "infinity")
		c := e2e.LiveSession(t, u)
		e2e.OnHost(t, append(append([]string{"docker"}, argv...), name)...)
		c.Lost(what)
		_ = e2e.TryDocker("rm", "-f", name)
	}
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	e2e.CanLogIn(t, u)
}

func TestOutOfMemoryInAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	createByHand(t, name, "--memory=32m", "--memory-swap=32m", "dsh-busybox", "sleep", "infinity")
	r := e2e.SSH(t, u, `exec sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'`)
	if r.Status != 137 || !strings.Contains(r.Stderr, "out of memory") {
		t.Errorf("%q, %d", r.Stderr, r.Status)
	}
	e2e.CanLogIn(t, u)
}

func TestManySessionsInAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	answers := make(chan e2e.Result)
	for i := range 8 {
		go func() { r, _ := e2e.TrySSH(u, nil, fmt.Sprintf("echo %d; exit %d", i, i)); answers <- r }()
	}
	for range 8 {
		if r := <-answers; r.Stdout != fmt.Sprintf("%d\n", r.Status) || r.Stderr != "" {
			t.Errorf("%+v", r)
		}
	}
	e2e.Eventually(t, "no bridge is left", func() bool { return len(e2e.Bridges()) == 0 })
}

// The engine carries the session, which ends with the engine. Its command is hung up as
// soon as the engine is back.
func TestEngineKilledUnderAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	c := e2e.LiveSession(t, u)
	mark := fmt.Sprintf("sleep %d66", u.UID)
	c.Line(mark)
	e2e.Eventually(t, "the command runs", func() bool { return e2e.CommandRuns(mark) })
	e2e.DockerDaemon(t, "kill")
	c.Lost("engine")
	e2e.DockerDaemon(t, "start")
	e2e.Eventually(t, "the command is hung up", func() bool { return !e2e.CommandRuns(mark) })
	e2e.Eventually(t, "a login works again", func() bool { return e2e.SSH(t, u, "echo works").Stdout == "works\n" })
}

func TestExplainDescribesAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u, name := newAdopter(t)
	explain := func() string { return e2e.OnHost(t, e2e.CtlPath, "explain", u.Name) }
	if out := explain(); !strings.Contains(out, name+" (absent)") || !strings.Contains(out, "logins are refused") || strings.Contains(out, "made with") {
		t.Error(out)
	}
	createByHand(t, name, "dsh-busybox", "sleep", "infinity")
	if out := explain(); !strings.Contains(out, name+" (created)") || !strings.Contains(out, "made by hand") || strings.Contains(out, "made with") {
		t.Error(out)
	}
	if out := e2e.OnHost(t, e2e.CtlPath, "ls"); strings.Contains(out, name) {
		t.Errorf("ls lists what dockersh did not make:\n%s", out)
	}
}
