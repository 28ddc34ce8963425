//go:build e2e

package identity

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// A user with a session, and with a program that none belongs to, gets the groups of this
// moment in the next login, and keeps the container.
func TestGroupsAreThoseOfTheLogin(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can see what an agent has")
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash")
	u.Join(t, "dshstays")
	inside := func() string {
		return strings.TrimSpace(e2e.SSH(t, u, "id -G; id -Gn; stat -c %g /proc/self; grep dshstays: /etc/group").Stdout)
	}
	same := func(what string) {
		t.Helper()
		want := e2e.OnHost(t, "id", "-G", u.Name) + "\n" + e2e.OnHost(t, "id", "-Gn", u.Name)
		if got := inside(); !strings.HasPrefix(got, want+"\n") {
			t.Errorf("%s: inside\n%s\non the host\n%s", what, got, want)
		}
	}
	same("at first")
	e2e.SSH(t, u, "echo work >/tmp/f; setsid sleep 5000 >/dev/null 2>&1 </dev/null & echo $! >/tmp/pid").Want(t, "", "", 0)
	c := e2e.LiveSession(t, u)
	id := u.Container(t)

	u.Join(t, "dshcomes")
	same("one was added")
	e2e.OnHost(t, "gpasswd", "-d", u.Name, "dshstays")
	same("one was taken away")
	if strings.Contains(e2e.SSH(t, u, "grep ^dshstays: /etc/group").Stdout, u.Name) {
		t.Error("still a member of the group in /etc/group")
	}
	if got := c.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	e2e.SSH(t, u, "cat /tmp/f; kill -0 $(cat /tmp/pid) && echo runs").Want(t, "work\nruns\n", "", 0)
	e2e.OnHost(t, "gpasswd", "-d", u.Name, "dshcomes")
	same("the last one was taken away")
	u.Join(t, "dshstays")
	same("one came back")
	e2e.SSH(t, u, "getent passwd $(id -u) | cut -d: -f1").Want(t, u.Name+"\n", "", 0)
	c.Line("exit")
	c.Wait()

	e2e.OnHost(t, "gpasswd", "-d", u.Name, "dshstays")
	e2e.MustCtl(t, "restart", u.Name+"_dockersh")
	same("after a restart")
	if strings.Contains(e2e.SSH(t, u, "cat /etc/group").Stdout, "dshstays:x:"+e2e.OnHost(t, "sh", "-c", "getent group dshstays | cut -d: -f3")+":"+u.Name) {
		t.Error("a member again in /etc/group")
	}
	u.Join(t, "dshcomes")
	e2e.MustCtl(t, "restart", u.Name+"_dockersh")
	same("after another one")
	if u.Container(t) != id {
		t.Error("it is another container")
	}
}

// A user who is root inside can write anything into /etc/group.
func TestGroupThatRootInsideWritesIsNotGiven(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can see what an agent has")
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash")
	e2e.SSH(t, u, "id -Gn").Want(t, u.Name+"\n", "", 0)
	e2e.OnHost(t, "docker", "exec", "-u", "0", u.Container(t), "sh", "-c",
		"echo host:x:4242:"+u.Name+",_dockersh >>/etc/group; echo _dockersh:x:0:0::/:/bin/sh >>/etc/passwd")
	u.Join(t, "dshteam")
	e2e.SSH(t, u, "id -Gn").Want(t, u.Name+" dshteam\n", "", 0)
	e2e.SSH(t, u, "id -G").Want(t, e2e.OnHost(t, "id", "-G", u.Name)+"\n", "", 0)
}

// The container that dockershctl makes has the agent that the first login looks for.
func TestSeatHasAnAgentWithTheUsersGroups(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can see what an agent has")
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash")
	u.Join(t, "dshteam")
	e2e.MustCtl(t, "start", "--user", u.Name)
	for range 2 {
		e2e.SSH(t, u, "id -Gn; ps -e -o comm= | grep -c dockersh-init").Want(t, u.Name+" dshteam\n2\n", "", 0)
	}
}

// The groups that the engine adds to the container stay, beside the groups of the login.
func TestGroupOfDockeroptIsInEverySession(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can see what an agent has")
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash", "dockeropt = --group-add=4242")
	ids := func() string {
		return strings.TrimSpace(e2e.SSH(t, u, "id -G | tr ' ' '\\n' | sort -n | tr '\\n' ' '").Stdout)
	}
	sorted := func() string {
		return e2e.OnHost(t, "sh", "-c", "(id -G "+u.Name+" | tr ' ' '\\n'; echo 4242) | sort -n | tr '\\n' ' '")
	}
	for range 2 {
		if got, want := ids(), strings.TrimSpace(sorted()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		u.Join(t, "dshteam")
	}
}
