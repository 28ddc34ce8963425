//go:build e2e && kubernetes && whole

package kubernetes

import (
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
