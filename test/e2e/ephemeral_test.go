//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// gone waits until nothing of the account's containers is left, neither in the
// engine nor in the broker's directory.
func gone(t *testing.T, u *account) {
	t.Helper()
	if !within(limit, func() bool { return len(u.containers(t)) == 0 && len(kept(u)) == 0 }) {
		t.Fatalf("left after %v: containers %q, and %q", limit, u.containers(t), kept(u))
	}
}

// kept is what the broker keeps of an account whose containers' names begin with
// his.
func kept(u *account) (all []string) {
	for _, dir := range []string{"c", "life"} {
		found, err := filepath.Glob(u.place() + "/" + dir + "/" + u.name + `[_~\-]*`)
		if err != nil {
			panic(err) // of the pattern
		}
		all = append(all, found...)
	}
	records, err := filepath.Glob(u.place() + "/s/*." + u.name + `[_\-]*`)
	if err != nil {
		panic(err)
	}
	return append(all, records...)
}

func TestTwoLoginsSeeTwoFreshContainersAndLeaveNothing(t *testing.T) {
	u := newBoxed(t, "containername = %u-%x", "ephemeral")
	a, b := live(t, u), live(t, u)
	if x, y := a.run("hostname"), b.run("hostname"); x == y {
		t.Errorf("one container: %s", x)
	}
	a.run("echo mine >/tmp/f")
	if got := b.run("ls /tmp/f 2>/dev/null || echo none"); got != "none" {
		t.Errorf("%q", got)
	}
	a.line("exit 3")
	if status := a.wait(); status != 3 {
		t.Errorf("status %d", status)
	}
	eventually(t, "one is left", func() bool { return len(u.containers(t)) == 1 })
	if got := b.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	b.line("exit")
	b.wait()
	gone(t, u)
	ssh(t, u, "echo $((6*7))").want(t, "42\n", "", 0)
	gone(t, u)
}

// However a session ends, its container goes.
func TestAnEphemeralContainerGoesHoweverTheSessionEnds(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, u *account, c *console){
		"client killed": func(t *testing.T, u *account, c *console) { _ = c.cmd.Process.Kill() },
		"sshd killed": func(t *testing.T, u *account, c *console) {
			pids := pidsOf(func(_ int, args string) bool { return strings.HasPrefix(args, "sshd: "+u.name+"@") })
			if len(pids) != 1 {
				t.Fatalf("%d processes of sshd", len(pids))
			}
			_ = syscall.Kill(pids[0], syscall.SIGKILL)
		},
		"front killed": func(t *testing.T, u *account, c *console) {
			_ = syscall.Kill(processOf(t, u, front), syscall.SIGKILL)
		},
		"container ended inside": func(t *testing.T, u *account, c *console) { c.line("kill 1") },
		"container removed":      func(t *testing.T, u *account, c *console) { run(t, "docker", "rm", "-f", u.container(t)) },
		"container stopped":      func(t *testing.T, u *account, c *console) { run(t, "docker", "stop", "-t", "2", u.container(t)) },
		"broker killed, then the client": func(t *testing.T, u *account, c *console) {
			next := brokerKilled(t, u)
			_ = c.cmd.Process.Kill()
			c.wait()
			next()
		},
		"broker restarted, then the session": func(t *testing.T, u *account, c *console) {
			broker.restart(t, syscall.SIGTERM)
			time.Sleep(time.Second) // it has looked, and must not have removed it
			if got := c.run("echo still here"); got != "still here" {
				t.Errorf("%q", got)
			}
			c.line("exit")
		},
		"with the engine down": func(t *testing.T, u *account, c *console) {
			engine(t, "kill")
			c.line("exit")
			c.wait()
			time.Sleep(500 * time.Millisecond)
			engine(t, "start")
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newBoxed(t, "ephemeral")
			c := live(t, u)
			end(t, u, c)
			c.wait()
			gone(t, u)
			works(t, u)
			gone(t, u)
		})
	}
}

func TestLingerKeepsItForTheNextLoginAcrossBrokers(t *testing.T) {
	u := newBoxed(t, "ephemeral", "linger = 4s")
	ssh(t, u, "echo coffee >/tmp/f").want(t, "", "", 0)
	ssh(t, u, "cat /tmp/f").want(t, "coffee\n", "", 0)
	broker.restart(t, syscall.SIGKILL)
	ssh(t, u, "cat /tmp/f").want(t, "coffee\n", "", 0)
	begin := time.Now()
	gone(t, u)
	if took := time.Since(begin); took < 3*time.Second {
		t.Errorf("it was kept for %v only", took)
	}
	ssh(t, u, "cat /tmp/f 2>/dev/null || echo fresh").want(t, "fresh\n", "", 0)
	// Nobody is there any more, and no broker either, until it is over.
	back := broker.away(t, syscall.SIGKILL)
	time.Sleep(time.Second)
	back()
	gone(t, u)
}

func TestThirtySeatsAtOnce(t *testing.T) {
	u := newBoxed(t, "containername = %u-%x", "ephemeral")
	var all sync.WaitGroup
	var mu sync.Mutex
	names := map[string]bool{}
	for range 30 {
		all.Go(func() {
			r, err := trySSH(u, nil, "hostname; sleep 1")
			if err != nil || r.status != 0 {
				t.Errorf("%v: %q %d", err, r.stderr, r.status)
			}
			mu.Lock()
			defer mu.Unlock()
			names[r.stdout] = true
		})
	}
	all.Wait()
	if len(names) != 30 {
		t.Errorf("%d containers for 30 logins", len(names))
	}
	gone(t, u)
}

func TestWhatWasMadeToStayIsNeverRemoved(t *testing.T) {
	u := newBoxed(t)
	ssh(t, u, "echo work >~/f").want(t, "", "", 0)
	u.reset(t, "ephemeral")
	ssh(t, u, "cat ~/f").want(t, "work\n", "", 0)
	run(t, "docker", "stop", "-t", "1", u.container(t))
	ssh(t, u, "cat ~/f").want(t, "work\n", "", 0)
	broker.restart(t, syscall.SIGKILL)
	time.Sleep(time.Second)
	ssh(t, u, "cat ~/f").want(t, "work\n", "", 0)
	// And an administrator who puts one aside keeps it.
	run(t, "docker", "rm", "-f", u.container(t))
	c := live(t, u)
	run(t, "docker", "rename", u.container(t), "aside-"+u.name)
	c.line("exit")
	c.wait()
	eventually(t, "nothing more is to be done", func() bool { return len(kept(u)) == 0 })
	if ids := u.containers(t); len(ids) != 1 {
		t.Errorf("%d containers", len(ids))
	}
}

func TestAHalfMadeContainerIsRemovedByTheNextBroker(t *testing.T) {
	u := newBoxed(t, "containername = %u-%x", "ephemeral", "imagename = dsh-debian", "shell = /bin/sh")
	cmd := exec.Command("/usr/bin/ssh", sshArgv(u, "127.0.0.1", "echo in; sleep 100")[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is being made", func() bool { return len(u.containers(t)) > 0 })
	next := brokerKilled(t, u)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	next()
	gone(t, u)
	if _, err := os.Stat(u.place() + "/life"); err != nil {
		t.Error(err) // the test looked in the wrong place
	}
}
