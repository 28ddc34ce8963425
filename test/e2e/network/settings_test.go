//go:build e2e

package network

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestConnectionsThatTheSettingsLeaveOnTheHost(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	onHost := hostListens(t, "host")
	for _, settings := range []string{"network = host", "hostshell = /bin/bash"} {
		u, l := e2e.NewUser(t, settings), freePort()
		connect(t, u, "-L", l+":127.0.0.1:"+onHost)
		if got := word(dial(l)); got != "host" {
			t.Errorf("%s: %q", settings, got)
		}
	}
}

func TestConnectionsThatJoinNoContainer(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	for _, settings := range [][]string{
		{"containername = %u-%x", "ephemeral"}, {"dockeropt = --network=host"}, {"imagename = not-there", "pull = always"},
		{"enableuserconfig", "enableusercontainername"}, {"enableuserconfig", "enableuserimagename"},
	} {
		u := e2e.NewUser(t, settings...)
		reachesNothing(t, u)
		if settings[0] == "imagename = not-there" {
			continue
		}
		if got := e2e.PAMSSH(t, u, "echo works"); got != "works" {
			t.Errorf("%q: %q", settings, got)
		}
	}
}

func TestContainerWithoutANetworkIsJoined(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u, l, port := e2e.NewUser(t, "network = none"), freePort(), freePort()
	connect(t, u, "-L", l+":127.0.0.1:"+port)
	e2e.PAMSSH(t, u, "true")
	containerListens(t, process1(t, u), port, "container")
	if got := word(dial(l)); got != "container" {
		t.Errorf("%q", got)
	}
}

func TestConnectionJoinsTheContainerOfItsAddress(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t, "containername = %u-%i")
	l, port := freePort(), freePort()
	connect(t, u, "-b", "127.0.0.5", "-L", l+":127.0.0.1:"+port)
	argv := e2e.PAMArgv(u, "-b", "127.0.0.5", "127.0.0.1", e2e.ContainerID)
	id := e2e.OnHost(t, argv...)
	containerListens(t, e2e.Inspect(t, id, "{{.State.Pid}}"), port, "container")
	if got := word(dial(l)); got != "container" {
		t.Errorf("%q", got)
	}
	if n := len(u.Containers(t)); n != 1 {
		t.Errorf("%d containers", n)
	}
}

// By sshd's word, whatever the user's process says.
func TestConnectionJoinsTheContainerOfItsKey(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t, "containername = %u-%k")
	second := u.AddKey(t)
	by := func(key string, args ...string) []string {
		argv := e2e.PAMArgv(u, args...)
		argv[slices.Index(argv, e2e.Scratch+"/key")] = e2e.Scratch + "/" + key
		return argv
	}
	one, two := e2e.OnHost(t, by("key", "127.0.0.1", e2e.ContainerID)...), e2e.OnHost(t, by(second, "127.0.0.1", e2e.ContainerID)...)
	if one == two {
		t.Error("two keys meet in one container")
	}
	l, port := freePort(), freePort()
	connect(t, u, "-L", l+":127.0.0.1:"+port) // with the first key
	containerListens(t, e2e.Inspect(t, one, "{{.State.Pid}}"), port, "one")
	containerListens(t, e2e.Inspect(t, two, "{{.State.Pid}}"), port, "two")
	if got := word(dial(l)); got != "one" {
		t.Errorf("%q", got)
	}
	pub, err := os.ReadFile(e2e.Scratch + "/" + second + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(pub))
	// The user's file for pam_env(8) claims the other key.
	u.WriteFile(t, ".pam_environment", "SSH_AUTH_INFO_0 DEFAULT=\"publickey "+f[0]+" "+f[1]+"\"\n", 0o600)
	if got := e2e.OnHost(t, by("key", "127.0.0.1", e2e.ContainerID)...); got != one {
		t.Errorf("a file of the user led from container %s to %s, and the claimed key has %s", one, got, two)
	}
	// The user's own process claims it, as sshd would write it.
	lie := "/tmp/sshauth.Forgery01abc"
	u.WriteFile(t, "info", "publickey "+f[0]+" "+f[1]+"\n", 0o600)
	e2e.OnHost(t, "cp", "-a", u.Home+"/info", lie)
	t.Cleanup(func() { _ = os.Remove(lie) })
	forged := e2e.AsUser(u, e2e.Front, "-c", e2e.ContainerID)
	forged.Env = append(forged.Env, "SSH_USER_AUTH="+lie)
	if out, err := forged.CombinedOutput(); err == nil || !strings.Contains(string(out), "did not provide it") {
		t.Errorf("%v %q", err, out)
	}
}

func TestConnectionJoinsAContainerOfPodman(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD, e2e.Podman), why)
	u := e2e.NewUser(t, e2e.InPodman, "imagename = dsh-debian", "shell = /bin/bash", "network = none")
	onHost, l := hostListens(t, "host"), freePort()
	connect(t, u, "-L", l+":127.0.0.1:"+onHost)
	if got := word(dial(l)); got != "" {
		t.Errorf("%q", got)
	}
	if got := e2e.PAMSSH(t, u, "echo works"); got != "works" {
		t.Errorf("%q", got)
	}
	out, err := exec.Command("podman", "--url", "unix://"+e2e.PodmanSocket, "inspect", "-f", "{{.State.Pid}}", u.Name+"_dockersh").Output()
	if err != nil {
		t.Fatal(err)
	}
	containerListens(t, strings.TrimSpace(string(out)), onHost, "container")
	if got := word(dial(l)); got != "container" {
		t.Errorf("%q", got)
	}
}

func TestConnectionJoinsAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u, l := e2e.NewUser(t), freePort()
	name := "hand-" + u.Name
	u.Configure(t, "containername = "+name, "adopt", "shell = /bin/sh", "containerusername = root")
	if err := e2e.TryDocker("create", "--name", name, "dsh-busybox", "sleep", "1000"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e2e.TryDocker("rm", "-f", name) })
	onHost := hostListens(t, "host")
	connect(t, u, "-L", l+":127.0.0.1:"+onHost)
	if got := word(dial(l)); got != "" {
		t.Errorf("%q", got)
	}
	containerListens(t, e2e.Inspect(t, name, "{{.State.Pid}}"), onHost, "container")
	if got := word(dial(l)); got != "container" {
		t.Errorf("%q", got)
	}
}
