//go:build e2e

package lifecycle

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestTwoLoginsGetTwoFreshContainersAndLeaveNothing(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "containername = %u-%x", "ephemeral")
	a, b := e2e.LiveSession(t, u), e2e.LiveSession(t, u)
	if x, y := a.Run(e2e.ContainerID), b.Run(e2e.ContainerID); x == y {
		t.Errorf("one container: %s", x)
	}
	a.Run("echo mine >/tmp/f")
	if got := b.Run("ls /tmp/f 2>/dev/null || echo none"); got != "none" {
		t.Errorf("%q", got)
	}
	a.Line("exit 3")
	if status := a.Wait(); status != 3 {
		t.Errorf("status %d", status)
	}
	e2e.Eventually(t, "one container is left", func() bool { return len(u.Containers(t)) == 1 })
	if got := b.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	b.Line("exit")
	b.Wait()
	e2e.ContainersGone(t, u)
	e2e.SSH(t, u, "echo $((6*7))").Want(t, "42\n", "", 0)
	e2e.ContainersGone(t, u)
}

func TestEphemeralContainerIsRemovedHoweverTheSessionEnds(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for name, end := range map[string]func(t *testing.T, u *e2e.Account, c *e2e.Console){
		"client killed": func(t *testing.T, u *e2e.Account, c *e2e.Console) { _ = c.Cmd.Process.Kill() },
		"sshd killed": func(t *testing.T, u *e2e.Account, c *e2e.Console) {
			pids := e2e.SSHDsOf(u)
			if len(pids) != 1 {
				t.Fatalf("%d processes of sshd", len(pids))
			}
			_ = syscall.Kill(pids[0], syscall.SIGKILL)
		},
		"front killed": func(t *testing.T, u *e2e.Account, c *e2e.Console) {
			_ = syscall.Kill(e2e.ProcessOf(t, u, e2e.Front), syscall.SIGKILL)
		},
		"container ended inside": func(t *testing.T, u *e2e.Account, c *e2e.Console) { c.Line("kill 1") },
		"container removed": func(t *testing.T, u *e2e.Account, c *e2e.Console) {
			e2e.OnHost(t, "docker", "rm", "-f", u.Container(t))
		},
		"container stopped": func(t *testing.T, u *e2e.Account, c *e2e.Console) {
			e2e.OnHost(t, "docker", "stop", "-t", "2", u.Container(t))
		},
		"broker killed, then the client": func(t *testing.T, u *e2e.Account, c *e2e.Console) {
			next := e2e.KillBroker(t, u)
			_ = c.Cmd.Process.Kill()
			c.Wait()
			next()
		},
		"broker restarted, then the session": func(t *testing.T, u *e2e.Account, c *e2e.Console) {
			e2e.Broker.Restart(t, syscall.SIGTERM)
			time.Sleep(time.Second) // the sweep must not have removed it
			if got := c.Run("echo still here"); got != "still here" {
				t.Errorf("%q", got)
			}
			c.Line("exit")
		},
		"with the engine down": func(t *testing.T, u *e2e.Account, c *e2e.Console) {
			e2e.DockerDaemon(t, "kill")
			c.Line("exit")
			c.Wait()
			time.Sleep(500 * time.Millisecond)
			e2e.DockerDaemon(t, "start")
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := e2e.NewUser(t, "ephemeral")
			c := e2e.LiveSession(t, u)
			end(t, u, c)
			c.Wait()
			e2e.ContainersGone(t, u)
			e2e.CanLogIn(t, u)
			e2e.ContainersGone(t, u)
		})
	}
}

func TestLingerKeepsTheContainerForTheNextLogin(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t, "ephemeral", "linger = 4s")
	e2e.SSH(t, u, "echo coffee >/tmp/f").Want(t, "", "", 0)
	e2e.SSH(t, u, "cat /tmp/f").Want(t, "coffee\n", "", 0)
	e2e.Broker.Restart(t, syscall.SIGKILL)
	e2e.SSH(t, u, "cat /tmp/f").Want(t, "coffee\n", "", 0)
	begin := time.Now()
	e2e.ContainersGone(t, u)
	if took := time.Since(begin); took < 3*time.Second {
		t.Errorf("it was kept only for %v", took)
	}
	e2e.SSH(t, u, "cat /tmp/f 2>/dev/null || echo fresh").Want(t, "fresh\n", "", 0)
	// No session is left, and no broker runs while the time passes.
	back := e2e.Broker.Away(t, syscall.SIGKILL)
	time.Sleep(time.Second)
	back()
	e2e.ContainersGone(t, u)
}

func TestThirtyLoginsAtOnceGetThirtyContainers(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t, "containername = %u-%x", "ephemeral")
	var all sync.WaitGroup
	var mu sync.Mutex
	names := map[string]bool{}
	for range 30 {
		all.Go(func() {
			r, err := e2e.TrySSH(u, nil, e2e.ContainerID+"; sleep 1")
			if err != nil || r.Status != 0 {
				t.Errorf("%v: %q %d", err, r.Stderr, r.Status)
			}
			mu.Lock()
			defer mu.Unlock()
			names[r.Stdout] = true
		})
	}
	all.Wait()
	if len(names) != 30 {
		t.Errorf("%d containers for 30 logins", len(names))
	}
	e2e.ContainersGone(t, u)
}

func TestContainerMadeToStayIsNeverRemoved(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "echo work >~/f").Want(t, "", "", 0)
	u.Configure(t, "ephemeral")
	e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0)
	e2e.OnHost(t, "docker", "stop", "-t", "1", u.Container(t))
	e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0)
	e2e.Broker.Restart(t, syscall.SIGKILL)
	time.Sleep(time.Second)
	e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0)
	// The administrator renames a container, and so keeps it.
	e2e.OnHost(t, "docker", "rm", "-f", u.Container(t))
	c := e2e.LiveSession(t, u)
	e2e.OnHost(t, "docker", "rename", u.Container(t), "aside-"+u.Name)
	c.Line("exit")
	c.Wait()
	e2e.Eventually(t, "the broker has finished", func() bool { return len(e2e.StateOf(u)) == 0 })
	if ids := u.Containers(t); len(ids) != 1 {
		t.Errorf("%d containers", len(ids))
	}
}

func TestHalfMadeContainerIsRemovedByTheNextBroker(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "containername = %u-%x", "ephemeral", "imagename = dsh-debian", "shell = /bin/sh")
	cmd := exec.Command("/usr/bin/ssh", e2e.SSHArgv(u, "127.0.0.1", "echo in; sleep 100")[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e2e.Eventually(t, "the container is being made", func() bool { return len(u.Containers(t)) > 0 })
	next := e2e.KillBroker(t, u)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	next()
	e2e.ContainersGone(t, u)
	if _, err := os.Stat(u.StateDir() + "/retention"); err != nil {
		t.Error(err) // the test looked in the wrong place
	}
}
