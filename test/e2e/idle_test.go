//go:build e2e

package e2e

import (
	"syscall"
	"testing"
	"time"
)

func TestAnIdleContainerIsStoppedAndStartedAgain(t *testing.T) {
	u := newBoxed(t, "idletimeout = 2s")
	ssh(t, u, "echo work >~/f").want(t, "", "", 0)
	id := u.container(t)
	state := func() string { return inspect(t, id, "{{.State.Status}}") }
	eventually(t, "it is stopped", func() bool { return state() == "exited" })
	ssh(t, u, "cat ~/f").want(t, "work\n", "", 0)

	// A session spares it, however quiet, and across brokers.
	c := live(t, u)
	broker.restart(t, syscall.SIGKILL)
	time.Sleep(8 * time.Second)
	if got := c.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	// And so does what a session left running.
	c.run("setsid sh -c 'echo $$ >/tmp/pid; exec sleep 65432' >/dev/null 2>&1 </dev/null & echo left")
	c.line("exit")
	c.wait()
	time.Sleep(8 * time.Second)
	if got := state(); got != "running" || !argsRun("sleep 65432") {
		t.Fatalf("with a process of the user's it is %s", got)
	}
	ssh(t, u, "kill $(cat /tmp/pid)").want(t, "", "", 0)
	eventually(t, "it is stopped", func() bool { return state() == "exited" })
	works(t, u)
	if u.container(t) != id {
		t.Error("it is another one")
	}
}

func TestATmuxSparesItsContainer(t *testing.T) {
	u := newBoxed(t, "idletimeout = 2s", "imagename = dsh-debian", "shell = /bin/bash")
	c := live(t, u)
	c.line("tmux -L e2e -f /dev/null new-session 'echo in:$TMUX; exec cat'")
	c.expect(`in:/tmp/tmux`)
	_ = c.cmd.Process.Kill() // it is left behind, as everybody does
	c.wait()
	id := u.container(t)
	time.Sleep(8 * time.Second)
	if got := inspect(t, id, "{{.State.Status}}"); got != "running" {
		t.Errorf("it is %s", got)
	}
	ssh(t, u, "tmux -L e2e list-sessions -F '#{session_attached}' && tmux -L e2e kill-server").want(t, "0\n", "", 0)
	eventually(t, "it is stopped", func() bool { return inspect(t, id, "{{.State.Status}}") == "exited" })
}

func TestIdletimeoutFollowsTheSettings(t *testing.T) {
	u := newBoxed(t)
	works(t, u)
	id := u.container(t)
	u.reset(t, "idletimeout = 1s") // it was made without
	works(t, u)
	eventually(t, "it is stopped", func() bool { return inspect(t, id, "{{.State.Status}}") == "exited" })
	u.reset(t)
	works(t, u)
	time.Sleep(7 * time.Second)
	if got := inspect(t, id, "{{.State.Status}}"); got != "running" {
		t.Errorf("without idletimeout it is %s", got)
	}
}
