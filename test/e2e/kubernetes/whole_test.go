//go:build e2e && kubernetes && whole

package kubernetes

import (
	"slices"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// These tests need what a node of processes has not: terminals and /proc.

func TestTerminalInAPod(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	u := newUser(t)
	e2e.CanLogIn(t, u)
	c := e2e.NewConsole(t, 41, 133, e2e.SSHArgv(u, "-tt", "127.0.0.1", "tty; stty size; cat /proc/1/cmdline | tr '\\0' ' '; cat")...)
	c.Expect("/dev/pts/")
	c.Expect("41 133")
	c.Expect("/.dockersh/dockersh-init pause")
	c.Send("typed\r")
	c.Expect("typed")
	c.Send("\x04")
}

func TestSessionOfAClientThatIsGoneIsHungUpInAPod(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	u := newUser(t)
	e2e.CanLogIn(t, u)
	mark := "sleep 1" + u.Name[4:] + "31"
	d := e2e.SSHConsole(t, u, mark)
	counts := "ps -o args | grep -c '^[s]" + mark[1:] + "'"
	e2e.Eventually(t, "the command runs", func() bool { return e2e.SSH(t, u, counts).Stdout == "1\n" })
	_ = d.Cmd.Process.Kill()
	e2e.Eventually(t, "the command is hung up", func() bool { return e2e.SSH(t, u, counts).Stdout == "0\n" })
}

// The API server passes on streams that are open, and can make no pod.
func TestSessionsGoOnWhereTheAPIServerHasNoEtcd(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	u := newUser(t)
	e2e.SSH(t, u, "touch /tmp/kept").Want(t, "", "", 0)
	pods := podsOf(t, u.Name+"_dockersh")
	c := e2e.LiveSession(t, u)
	pid := partOf(t, etcd)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	goesOn := c.Run("echo goes on")
	r := e2e.SSH(t, u, "true")
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if r.Refused(t, "the container engine does not answer"); goesOn != "goes on" {
		t.Errorf("%q", goesOn)
	}
	t.Logf("refused after %v", r.Took)
	if got := c.Run("echo goes on"); got != "goes on" {
		t.Errorf("%q", got)
	}
	inSamePod(t, u, pods)
}

// inSamePod checks that an account's pod is the one that it was, and that logins get there.
func inSamePod(t *testing.T, u *e2e.Account, pods []string) {
	t.Helper()
	e2e.Eventually(t, "logins go on", func() bool { return e2e.SSH(t, u, "ls /tmp/kept").Stdout == "/tmp/kept\n" })
	if now := podsOf(t, u.Name+"_dockersh"); !slices.Equal(now, pods) {
		t.Errorf("%v became %v", pods, now)
	}
}

func TestNothingIsRemovedWhereTheAPIServerIsKilled(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	users := []*e2e.Account{newUser(t), newUser(t, "ephemeral", "linger = 1h")}
	var pods [][]string
	var sessions []*e2e.Console
	for _, u := range users {
		e2e.SSH(t, u, "touch /tmp/kept").Want(t, "", "", 0)
		pods = append(pods, podsOf(t, u.Name+"_dockersh"))
		sessions = append(sessions, e2e.LiveSession(t, u))
	}
	if err := syscall.Kill(partOf(t, apiServer), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Streams go through the API server.
	for _, c := range sessions {
		c.Lost()
	}
	var refused []e2e.Result
	for _, u := range users {
		refused = append(refused, e2e.SSH(t, u, "true"))
	}
	e2e.RestartAPIServer(t)
	for i, u := range users {
		refused[i].Refused(t, "the container engine does not answer")
		t.Logf("refused after %v", refused[i].Took)
		inSamePod(t, u, pods[i])
	}
}
