//go:build e2e

package lifecycle

import (
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestIdleContainerIsStoppedAndStartedAgain(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "idletimeout = 2s")
	e2e.SSH(t, u, "echo work >~/f").Want(t, "", "", 0)
	id := u.Container(t)
	state := func() string { return e2e.Inspect(t, id, "{{.State.Status}}") }
	e2e.Eventually(t, "it is stopped", func() bool { return state() == "exited" })
	e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0)

	// A session keeps it running, however quiet, and across brokers.
	c := e2e.LiveSession(t, u)
	e2e.Broker.Restart(t, syscall.SIGKILL)
	time.Sleep(8 * time.Second)
	if got := c.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	// So does a process that a session left behind.
	c.Run("setsid sh -c 'echo $$ >/tmp/pid; exec sleep 65432' >/dev/null 2>&1 </dev/null & echo left")
	c.Line("exit")
	c.Wait()
	time.Sleep(8 * time.Second)
	if got := state(); got != "running" || !e2e.CommandRuns("sleep 65432") {
		t.Fatalf("with a process of the user it is %s", got)
	}
	e2e.SSH(t, u, "kill $(cat /tmp/pid)").Want(t, "", "", 0)
	e2e.Eventually(t, "it is stopped", func() bool { return state() == "exited" })
	e2e.CanLogIn(t, u)
	if u.Container(t) != id {
		t.Error("it is another one")
	}
}

// It would be a process of the container, again and again.
func TestHealthCheckOfTheImageDoesNotKeepItsContainerRunning(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.DockerImages.MakeImage(t, "dsh-healthy", "true", "HEALTHCHECK --interval=1s --timeout=1000s CMD sleep 999")
	u := e2e.NewUser(t, "idletimeout = 2s", "imagename = dsh-healthy")
	e2e.CanLogIn(t, u)
	id := u.Container(t)
	e2e.Eventually(t, "it is stopped", func() bool { return e2e.Inspect(t, id, "{{.State.Status}}") == "exited" })
}

func TestTmuxKeepsItsContainerRunning(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "idletimeout = 2s", "imagename = dsh-debian", "shell = /bin/bash")
	c := e2e.LiveSession(t, u)
	c.Line("tmux -L e2e -f /dev/null new-session 'echo in:$TMUX; exec cat'")
	c.Expect(`in:/tmp/tmux`)
	_ = c.Cmd.Process.Kill() // the user just leaves
	c.Wait()
	id := u.Container(t)
	time.Sleep(8 * time.Second)
	if got := e2e.Inspect(t, id, "{{.State.Status}}"); got != "running" {
		t.Errorf("it is %s", got)
	}
	e2e.SSH(t, u, "tmux -L e2e list-sessions -F '#{session_attached}' && tmux -L e2e kill-server").Want(t, "0\n", "", 0)
	e2e.Eventually(t, "it is stopped", func() bool { return e2e.Inspect(t, id, "{{.State.Status}}") == "exited" })
}

func TestIdletimeoutFollowsTheSettings(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	id := u.Container(t)
	u.Configure(t, "idletimeout = 1s") // the container was made without it
	e2e.CanLogIn(t, u)
	e2e.Eventually(t, "it is stopped", func() bool { return e2e.Inspect(t, id, "{{.State.Status}}") == "exited" })
	u.Configure(t)
	e2e.CanLogIn(t, u)
	time.Sleep(7 * time.Second)
	if got := e2e.Inspect(t, id, "{{.State.Status}}"); got != "running" {
		t.Errorf("without idletimeout it is %s", got)
	}
}
