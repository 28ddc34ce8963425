//go:build e2e

package lifecycle

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// What happens if the administrator changes an ephemeral container that has a session.
func TestAdministratorChangesAnEphemeralContainer(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	t.Run("a paused one is removed", func(t *testing.T) {
		u := e2e.NewUser(t, "ephemeral")
		c := e2e.LiveSession(t, u)
		e2e.OnHost(t, "docker", "pause", u.Container(t))
		_ = c.Cmd.Process.Kill()
		c.Wait()
		e2e.ContainersGone(t, u)
	})
	t.Run("a renamed one stays, and so does a copy of it", func(t *testing.T) {
		u := e2e.NewUser(t, "ephemeral")
		c := e2e.LiveSession(t, u)
		id, aside := u.Container(t), "aside-"+u.Name
		e2e.OnHost(t, "docker", "commit", id, "dsh-copy")
		t.Cleanup(func() { e2e.OnHost(t, "docker", "rmi", "-f", "dsh-copy") })
		e2e.OnHost(t, "docker", "rename", id, aside)
		// The container's labels are in its image.
		e2e.OnHost(t, "docker", "create", "--name", "copy-"+u.Name, "dsh-copy")
		c.Line("exit")
		c.Wait()
		e2e.Eventually(t, "the broker has finished", func() bool { return len(e2e.StateOf(u)) == 0 })
		e2e.Broker.Restart(t, syscall.SIGKILL) // the next one sweeps
		time.Sleep(7 * time.Second)
		for _, name := range []string{aside, "copy-" + u.Name} {
			e2e.Inspect(t, name, "{{.Id}}")
		}
		e2e.CanLogIn(t, u)
		e2e.Eventually(t, "the container of the last login is removed", func() bool { return len(u.Containers(t)) == 2 })
	})
	t.Run("mounts stay, and the container's own volumes are removed", func(t *testing.T) {
		dir := "/srv/of-the-host"
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		u := e2e.NewUser(t, "ephemeral", "volume = "+dir+":/host", "volume = dsh-named:/named", "volume = /own")
		t.Cleanup(func() { e2e.OnHost(t, "docker", "volume", "rm", "-f", "dsh-named") })
		volumes := func() int { return len(strings.Fields(e2e.OnHost(t, "docker", "volume", "ls", "-q"))) }
		before := volumes()
		c := e2e.LiveSession(t, u)
		c.Run("echo work >/host/f")
		if n := volumes(); n != before+2 {
			t.Errorf("%d volumes, before %d", n, before)
		}
		c.Line("exit")
		c.Wait()
		e2e.ContainersGone(t, u)
		if n := volumes(); n != before+1 {
			t.Errorf("%d volumes, before %d", n, before)
		}
		if got := e2e.OnHost(t, "cat", dir+"/f"); got != "work" {
			t.Errorf("%q", got)
		}
	})
	t.Run("a full one is removed, and delays nobody", func(t *testing.T) {
		u, other := e2e.NewUser(t, "ephemeral"), e2e.NewUser(t)
		c := e2e.LiveSession(t, u)
		c.Run("mkdir /tmp/d; cd /tmp/d; i=0; while [ $i -lt 300 ]; do mkdir d$i; (cd d$i; seq 100 | xargs touch); i=$((i+1)); done; cd /")
		_ = c.Cmd.Process.Kill()
		e2e.CanLogIn(t, other)
		e2e.CanLogIn(t, u) // in a fresh container, however long that takes
		e2e.SSH(t, u, "ls /tmp/d 2>/dev/null || echo fresh").Want(t, "fresh\n", "", 0)
		e2e.ContainersGone(t, u)
	})
}

// A container can be removed at any moment of a first login.
func TestContainerRemovedWhileItIsMade(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "ephemeral")
	for range 12 {
		answer := make(chan e2e.Result, 1)
		go func() { r, _ := e2e.TrySSH(u, nil, "echo in"); answer <- r }()
		var ids []string
		e2e.Within(e2e.Limit, func() bool { ids = u.Containers(t); return len(ids) > 0 || len(answer) > 0 })
		for _, id := range ids {
			_ = e2e.TryDocker("rm", "-f", id) // it may have been removed
		}
		if r := <-answer; r.Status != 0 {
			// There must be one line, and nothing else.
			if strings.Count(r.Stderr, "dockersh: ") != 1 || r.Stdout != "" && r.Stdout != "in\n" {
				t.Errorf("%q %q %d", r.Stdout, r.Stderr, r.Status)
			}
		}
	}
	e2e.ContainersGone(t, u)
	e2e.CanLogIn(t, u)
	e2e.ContainersGone(t, u)
}

func TestUsersWhoseNamesDifferInCaseStayApart(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	var both []*e2e.Account
	for _, name := range []string{"dshcase", "dshCase"} {
		u, err := e2e.AddNamed(name, e2e.Front)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { u.Remove(t) })
		both = append(both, u)
	}
	for _, u := range both {
		e2e.SSH(t, u, "echo "+u.Name+" >/tmp/f").Want(t, "", "", 0)
	}
	for _, u := range both {
		e2e.SSH(t, u, "cat /tmp/f").Want(t, u.Name+"\n", "", 0)
	}
}

// dockershctl restart makes the directory that the container mounts, which a boot had emptied. It must stay.
func TestContainerThatIsRestartedAfterABootCanBeEntered(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "root does not start a container that mounts the user's own directory")
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	e2e.MustCtl(t, "stop", "--user", u.Name)
	if err := os.RemoveAll(e2e.RunDir + "/c/" + u.Name + "_dockersh"); err != nil {
		t.Fatal(err)
	}
	e2e.MustCtl(t, "restart", "--user", u.Name)
	other := e2e.NewUser(t)
	e2e.CanLogIn(t, other)
	if e2e.Door == "service" {
		e2e.Broker.Restart(t, syscall.SIGKILL)
	} // else the broker of that session has looked for directories that nobody uses
	e2e.CanLogIn(t, u)
}
