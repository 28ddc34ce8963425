//go:build e2e

package lifecycle

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestOnchangeKeepKeepsTheContainerAndSaysSo(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "echo work >~/f").Want(t, "", "", 0)
	u.Configure(t, "memory = 64m")
	e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0) // a command is not told
	c := e2e.SSHConsole(t, u)
	c.Expect("this container was made with other settings")
	c.FirstPrompt()
	if got := c.Run("cat ~/f"); got != "work" {
		t.Errorf("%q", got)
	}
	if strings.Count(c.Shown(), "this container was made") != 1 {
		t.Errorf("%q", c.Shown())
	}
}

func TestOnchangeRecreatesWhenNoSessionIsLeft(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "onchange = recreate")
	e2e.SSH(t, u, "echo work >~/f").Want(t, "", "", 0)
	e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0)
	c := e2e.LiveSession(t, u)
	u.Configure(t, "onchange = recreate", "hostname = recreated")
	e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0) // a session is live
	if got := c.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	c.Line("exit")
	c.Wait()
	e2e.Eventually(t, "it is recreated", func() bool { return e2e.SSH(t, u, "hostname").Stdout == "recreated\n" })
	e2e.SSH(t, u, "cat ~/f 2>/dev/null || echo fresh").Want(t, "fresh\n", "", 0)

	// Another image gets the tag.
	e2e.OnHost(t, "docker", "tag", "dsh-busybox", "dsh-moving")
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rmi", "-f", "dsh-moving") })
	u.Configure(t, "onchange = recreate", "imagename = dsh-moving", "shell = /bin/sh")
	e2e.SSH(t, u, "test -e /etc/debian_version || echo busybox").Want(t, "busybox\n", "", 0)
	e2e.OnHost(t, "docker", "tag", "dsh-debian", "dsh-moving")
	e2e.Eventually(t, "it follows the tag", func() bool { return e2e.SSH(t, u, "test -e /etc/debian_version").Status == 0 })
	u.Container(t)
}

func TestOnchangeRecreatesOnceForManyLogins(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "onchange = recreate")
	e2e.SSH(t, u, "echo work >~/f").Want(t, "", "", 0)
	u.Configure(t, "onchange = recreate", "hostname = recreated")
	e2e.Logins(t, 20, func(int) *e2e.Account { return u })
	u.Container(t)
}

// A login changes the limits of a container that a session is in, and so does the administrator.
func TestOnchangeApplyChangesLimitsWhileTheContainerRuns(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "onchange = apply", "memory = 64m", "pidslimit = 90")
	e2e.SSH(t, u, "echo work >/tmp/f; setsid sleep 5000 >/dev/null 2>&1 </dev/null & echo $! >/tmp/pid").Want(t, "", "", 0)
	c := e2e.LiveSession(t, u)
	id := u.Container(t)
	limits := func() string {
		return e2e.Inspect(t, id, "{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}")
	}
	u.Configure(t, "onchange = apply", "memory = 96m", "cpus = 0.5", "pidslimit = 200")
	c2 := e2e.SSHConsole(t, u)
	c2.FirstPrompt()
	if strings.Contains(c2.Shown(), "this container was made") {
		t.Errorf("%q", c2.Shown())
	}
	if got := limits(); got != "100663296 500000000 200" {
		t.Errorf("limits %s", got)
	}
	inside := "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null; cat /tmp/f; kill -0 $(cat /tmp/pid) && echo runs"
	e2e.SSH(t, u, inside).Want(t, "200\nwork\nruns\n", "", 0)
	if got := c.Run("echo still here"); got != "still here" || u.Container(t) != id {
		t.Errorf("%q", got)
	}
	e2e.OnHost(t, "docker", "restart", "-t", "0", id)
	e2e.SSH(t, u, "cat /tmp/f").Want(t, "work\n", "", 0)
	if got := limits(); got != "100663296 500000000 200" {
		t.Errorf("after a restart %s", got)
	}
	// Less than is in use is not set.
	e2e.SSH(t, u, "dd if=/dev/zero of=/dev/shm/f bs=1M count=24 2>/dev/null && echo filled").Want(t, "filled\n", "", 0)
	u.Configure(t, "onchange = apply", "memory = 16m", "cpus = 0.5", "pidslimit = 200")
	e2e.SSH(t, u, "cat /tmp/f; rm /dev/shm/f").Want(t, "work\n", "", 0)
	if got := limits(); got != "100663296 500000000 200" {
		t.Errorf("with more in use %s", got)
	}
	u.Configure(t, "memory = 128m", "cpus = 0.5", "pidslimit = 200", "env = A=b")
	if out, _, _ := e2e.Ctl(t, "explain", u.Name); !strings.Contains(out, "memory changes from 101MB to 134MB") || !strings.Contains(out, "dockershctl reset") {
		t.Errorf("%s", out)
	}
	if os.Geteuid() == 0 && e2e.Door != "direct" {
		out := e2e.MustCtl(t, "apply", u.Name+"_dockersh")
		if got := limits(); got != "134217728 500000000 200" || !strings.Contains(out, "changed; the rest takes a new container") {
			t.Errorf("by hand %s: %s", got, out)
		}
	}
	e2e.SSH(t, u, "cat /tmp/f").Want(t, "work\n", "", 0)
}
