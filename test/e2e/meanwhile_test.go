//go:build e2e

package e2e

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What an administrator does with an ephemeral container while somebody is in it.
func TestAnEphemeralContainerAndItsAdministrator(t *testing.T) {
	t.Run("what he paused goes", func(t *testing.T) {
		u := newBoxed(t, "ephemeral")
		c := live(t, u)
		run(t, "docker", "pause", u.container(t))
		_ = c.cmd.Process.Kill()
		c.wait()
		gone(t, u)
	})
	t.Run("what he renamed he keeps, and an image's copy too", func(t *testing.T) {
		u := newBoxed(t, "ephemeral")
		c := live(t, u)
		id, aside := u.container(t), "aside-"+u.name
		run(t, "docker", "commit", id, "dsh-copy")
		t.Cleanup(func() { run(t, "docker", "rmi", "-f", "dsh-copy") })
		run(t, "docker", "rename", id, aside)
		// The labels of the container are in the image of it.
		run(t, "docker", "create", "--name", "copy-"+u.name, "dsh-copy")
		c.line("exit")
		c.wait()
		eventually(t, "nothing more is to be done", func() bool { return len(kept(u)) == 0 })
		broker.restart(t, syscall.SIGKILL) // which looks for what was left
		time.Sleep(7 * time.Second)
		for _, name := range []string{aside, "copy-" + u.name} {
			inspect(t, name, "{{.Id}}")
		}
		works(t, u)
		eventually(t, "the one of the last login goes", func() bool { return len(u.containers(t)) == 2 })
	})
	t.Run("what he mounted stays, and the container's own volumes go", func(t *testing.T) {
		dir := "/srv/of-the-host"
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		u := newBoxed(t, "ephemeral", "volume = "+dir+":/host", "volume = dsh-named:/named", "volume = /own")
		t.Cleanup(func() { run(t, "docker", "volume", "rm", "-f", "dsh-named") })
		volumes := func() int { return len(strings.Fields(run(t, "docker", "volume", "ls", "-q"))) }
		before := volumes()
		c := live(t, u)
		c.run("echo work >/host/f")
		if n := volumes(); n != before+2 {
			t.Errorf("%d volumes, before %d", n, before)
		}
		c.line("exit")
		c.wait()
		gone(t, u)
		if n := volumes(); n != before+1 {
			t.Errorf("%d volumes, before %d", n, before)
		}
		if got := run(t, "cat", dir+"/f"); got != "work" {
			t.Errorf("%q", got)
		}
	})
	t.Run("a full one goes, and holds up nobody", func(t *testing.T) {
		u, other := newBoxed(t, "ephemeral"), newBoxed(t)
		c := live(t, u)
		c.run("mkdir /tmp/d; cd /tmp/d; i=0; while [ $i -lt 300 ]; do mkdir d$i; (cd d$i; seq 100 | xargs touch); i=$((i+1)); done; cd /")
		_ = c.cmd.Process.Kill()
		works(t, other)
		works(t, u) // a fresh one, however long that takes
		ssh(t, u, "ls /tmp/d 2>/dev/null || echo fresh").want(t, "fresh\n", "", 0)
		gone(t, u)
	})
}

// A removal comes at any moment of a first login.
func TestAContainerIsRemovedWhileItIsMade(t *testing.T) {
	u := newBoxed(t, "ephemeral")
	for range 12 {
		answer := make(chan result, 1)
		go func() { r, _ := trySSH(u, nil, "echo in"); answer <- r }()
		var ids []string
		within(limit, func() bool { ids = u.containers(t); return len(ids) > 0 || len(answer) > 0 })
		for _, id := range ids {
			_ = tryDocker("rm", "-f", id) // it may be gone
		}
		if r := <-answer; r.status != 0 {
			// One line, and nothing else.
			if strings.Count(r.stderr, "dockersh: ") != 1 || r.stdout != "" && r.stdout != "in\n" {
				t.Errorf("%q %q %d", r.stdout, r.stderr, r.status)
			}
		}
	}
	gone(t, u)
	works(t, u)
	gone(t, u)
}

// Names of containers that differ in the case of a letter are two.
func TestUsersWhoseNamesDiffInCaseStayApart(t *testing.T) {
	var both []*account
	for _, name := range []string{"dshcase", "dshCase"} {
		u, err := addNamed(name, front)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { u.remove(t) })
		both = append(both, u)
	}
	for _, u := range both {
		ssh(t, u, "echo "+u.name+" >/tmp/f").want(t, "", "", 0)
	}
	for _, u := range both {
		ssh(t, u, "cat /tmp/f").want(t, u.name+"\n", "", 0)
	}
}
