//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

func TestOnchangeKeepSaysSoAndKeeps(t *testing.T) {
	u := newBoxed(t)
	ssh(t, u, "echo work >~/f").want(t, "", "", 0)
	u.reset(t, "memory = 64m")
	ssh(t, u, "cat ~/f").want(t, "work\n", "", 0) // no word at a command
	c := sshConsole(t, u)
	c.expect("this container was made with other settings")
	c.login()
	if got := c.run("cat ~/f"); got != "work" {
		t.Errorf("%q", got)
	}
	if strings.Count(c.shown(), "this container was made") != 1 {
		t.Errorf("%q", c.shown())
	}
}

func TestOnchangeRecreatesWhenNobodyIsIn(t *testing.T) {
	u := newBoxed(t, "onchange = recreate")
	ssh(t, u, "echo work >~/f").want(t, "", "", 0)
	ssh(t, u, "cat ~/f").want(t, "work\n", "", 0)
	c := live(t, u)
	u.reset(t, "onchange = recreate", "hostname = anew")
	ssh(t, u, "cat ~/f").want(t, "work\n", "", 0) // somebody is in
	if got := c.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	c.line("exit")
	c.wait()
	eventually(t, "it is made anew", func() bool { return ssh(t, u, "hostname").stdout == "anew\n" })
	ssh(t, u, "cat ~/f 2>/dev/null || echo fresh").want(t, "fresh\n", "", 0)

	// The image behind the tag.
	run(t, "docker", "tag", "dsh-busybox", "dsh-moving")
	t.Cleanup(func() { run(t, "docker", "rmi", "-f", "dsh-moving") })
	u.reset(t, "onchange = recreate", "imagename = dsh-moving", "shell = /bin/sh")
	ssh(t, u, "test -e /etc/debian_version || echo busybox").want(t, "busybox\n", "", 0)
	run(t, "docker", "tag", "dsh-debian", "dsh-moving")
	eventually(t, "it follows the tag", func() bool { return ssh(t, u, "test -e /etc/debian_version").status == 0 })
	u.container(t)
}

func TestOnchangeRecreateManyLoginsAtOnce(t *testing.T) {
	u := newBoxed(t, "onchange = recreate")
	ssh(t, u, "echo work >~/f").want(t, "", "", 0)
	u.reset(t, "onchange = recreate", "hostname = anew")
	logins(t, 20, func(int) *account { return u })
	u.container(t)
}
