//go:build e2e

package lifecycle

import (
	"os"
	"strconv"
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
	if out, _, _ := e2e.Ctl(t, "explain", u.Name); !strings.Contains(out, "memory changes from 101MB to 134MB") || !strings.Contains(out, "dockershctl apply") {
		t.Errorf("%s", out)
	}
	if os.Geteuid() == 0 && e2e.Door != "direct" {
		e2e.LiveSession(t, u)
		out := e2e.MustCtl(t, "apply", u.Name+"_dockersh")
		if got := limits(); got != "134217728 500000000 200" || !strings.Contains(out, "changed; the rest stays as it is: ") {
			t.Errorf("by hand %s: %s", got, out)
		}
	}
	e2e.SSH(t, u, "cat /tmp/f").Want(t, "work\n", "", 0)
}

// A login that finds nothing running in a container gives it other settings, with what is in it.
func TestOnchangeApplyCarriesTheContainerOver(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root has an inventory")
	u := e2e.NewUser(t, "onchange = apply", "env = A=1", "volume = /keeps")
	container := u.Name + "_dockersh"
	const look = "cat /tmp/f ~/f; stat -c '%a %u' /tmp/s; echo $A$B"
	e2e.SSH(t, u, "echo tmp >/tmp/f; echo home >~/f; touch /tmp/s; chmod 4711 /tmp/s").Want(t, "", "", 0)
	e2e.OnHost(t, "docker", "exec", "-u", "0", container, "sh", "-c", "echo volume >/keeps/v; mkdir /gone; rmdir /gone; touch /as-root")
	first := u.Container(t)
	uid := strconv.Itoa(u.UID)

	// Not while somebody is in it, nor while something runs in it.
	c := e2e.LiveSession(t, u)
	u.Configure(t, "onchange = apply", "env = B=2", "volume = /keeps", "hostname = other")
	e2e.SSH(t, u, look).Want(t, "tmp\nhome\n4711 "+uid+"\n1\n", "", 0)
	c.Line("setsid sleep 4321 >/dev/null 2>&1 </dev/null & exit")
	c.Wait()
	c = e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if !strings.Contains(c.Shown(), "made with other settings, and stays so: something runs in it") || u.Container(t) != first {
		t.Errorf("%q", c.Shown())
	}
	c.Run("kill $(pidof sleep)")
	c.Line("exit")
	c.Wait()
	if out, _, _ := e2e.Ctl(t, "explain", u.Name); !strings.Contains(out, "gives it those of today, with what is in its own file system") {
		t.Errorf("%s", out)
	}
	forgetKept(t, container)
	e2e.Eventually(t, "it is carried over", func() bool { return e2e.SSH(t, u, "hostname").Stdout == "other\n" })
	second := u.Container(t)
	e2e.SSH(t, u, look+"; cat /keeps/v; ls /as-root").Want(t, "tmp\nhome\n4711 "+uid+"\n2\nvolume\n/as-root\n", "", 0)
	if second == first || u.Container(t) != second {
		t.Error("it is not carried over once")
	}
	c = e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if strings.Contains(c.Shown(), "this container was made") {
		t.Errorf("%q", c.Shown())
	}
	c.Line("exit")
	c.Wait()

	// By hand, whatever onchange is.
	u.Configure(t, "env = B=3", "volume = /keeps")
	e2e.Eventually(t, "the session has ended", func() bool {
		return strings.Contains(e2e.MustCtl(t, "apply", container), "carried over to the settings of today")
	})
	if out := e2e.MustCtl(t, "apply", container); !strings.Contains(out, "as the settings say") {
		t.Errorf("again: %s", out)
	}
	e2e.SSH(t, u, look+"; cat /keeps/v").Want(t, "tmp\nhome\n4711 "+uid+"\n3\nvolume\n", "", 0)
	if out := e2e.MustCtl(t, "ls"); !strings.Contains(out, "busybox") || strings.Contains(out, "dockersh-old") {
		t.Errorf("%s", out)
	}
	mark := e2e.Inspect(t, container, `{{index .Config.Labels "dockersh.mark"}}`)
	layers := func() string {
		return e2e.OnHost(t, "docker", "images", "-aq", "--filter", "label=dockersh.layer="+mark)
	}
	volume := e2e.Inspect(t, container, "{{range .Mounts}}{{.Name}}{{end}}")
	if layers() == "" || e2e.TryDocker("volume", "inspect", volume) != nil {
		t.Errorf("no volume %q or no layer", volume)
	}
	e2e.MustCtl(t, "rm", "--yes", container)
	if layers() != "" || e2e.TryDocker("volume", "inspect", volume) == nil {
		t.Errorf("left: layers %q, volume %q", layers(), volume)
	}
	e2e.SSH(t, u, "cat /tmp/f 2>/dev/null || echo fresh").Want(t, "fresh\n", "", 0)
}

// forgetKept lets the next login try again at once.
func forgetKept(t *testing.T, container string) {
	t.Helper()
	if err := os.Remove(e2e.RunDir + "/c/" + container + "/kept"); err != nil {
		t.Fatal(err)
	}
}

func TestOnchangeApplyLosesNoLoginOfMany(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root has an inventory")
	u := e2e.NewUser(t, "onchange = apply")
	e2e.SSH(t, u, "echo work >~/f").Want(t, "", "", 0)
	for _, name := range []string{"first", "second"} {
		u.Configure(t, "onchange = apply", "hostname = "+name)
		e2e.Logins(t, 20, func(int) *e2e.Account { return u })
		e2e.Eventually(t, "it is carried over", func() bool {
			_ = os.Remove(e2e.RunDir + "/c/" + u.Name + "_dockersh/kept") // try again at once
			return e2e.SSH(t, u, "hostname").Stdout == name+"\n"
		})
		e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0)
		u.Container(t)
	}
}
