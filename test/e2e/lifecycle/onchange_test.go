//go:build e2e

package lifecycle

import (
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
