//go:build e2e

package forward

import (
	"os/exec"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

const notForwarded = "dockersh: your ssh agent is not forwarded into this container"

func TestAgentIsForwarded(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	listed := e2e.StartSSHAgent(t)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		if u.OverExec() {
			e2e.SSH(t, u, "-A", "--", `echo "[$SSH_AUTH_SOCK]"`).Want(t, "[]\n", "", 0)
			c := e2e.SSHConsole(t, u, "-A")
			c.Expect(notForwarded)
			return
		}
		const look = `stat -c %a "$SSH_AUTH_SOCK" "${SSH_AUTH_SOCK%/*}"; echo "$SSH_AUTH_SOCK"`
		lines := strings.Fields(e2e.SSH(t, u, "-A", "--", look).Stdout)
		if len(lines) != 3 || lines[0] != "600" && u.InContainer() || lines[1] != "700" {
			t.Fatalf("%q", lines)
		}
		gone := lines[2]
		if u.InContainer() { // sshd keeps its own since OpenSSH 10.1, ~/.ssh/agent
			gone = path.Dir(gone)
		}
		e2e.Eventually(t, "it is removed", func() bool { return e2e.SSH(t, u, "ls -d "+gone).Status != 0 })
		e2e.SSH(t, u, `echo "[$SSH_AUTH_SOCK]"`).Want(t, "[]\n", "", 0)
		if !e2e.CopySSHAdd(t, u) {
			if u != e2e.Tiny { // busybox lacks its libraries
				t.Error("ssh-add does not run")
			}
			return
		}
		const add = e2e.SSHAdd
		e2e.SSH(t, u, "-A", "--", add+" -l").Want(t, listed+"\n", "", 0)
		e2e.SSH(t, u, "-A", "-tt", "--", add+" -l").Want(t, listed+"\r\n", "", 0)
		// Many at once, and a signature, which proves the key.
		e2e.SSH(t, u, "-A", "--", `for i in $(seq 100); do `+add+` -l >/dev/null || echo bad & done; wait; `+add+` -L >/tmp/pub-$$ && `+add+` -T /tmp/pub-$$; echo $?; rm /tmp/pub-$$`).Want(t, "0\n", "", 0)
	})
}

func TestTwoSessionsHaveTwoSockets(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	listed := e2e.StartSSHAgent(t)
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash")
	if !e2e.CopySSHAdd(t, u) {
		t.Fatal("ssh-add does not run")
	}
	one, two := e2e.SSHConsole(t, u, "-A"), e2e.SSHConsole(t, u, "-A")
	one.FirstPrompt()
	two.FirstPrompt()
	first, second := one.Run("echo $SSH_AUTH_SOCK"), two.Run("echo $SSH_AUTH_SOCK")
	if first == second || path.Dir(first) == path.Dir(second) {
		t.Errorf("%q and %q", first, second)
	}
	one.Line("exit")
	one.Wait()
	e2e.Eventually(t, "the first socket is removed", func() bool { return two.Run("ls -d "+path.Dir(first)+" 2>/dev/null") == "" })
	if got := two.Run(e2e.SSHAdd + " -l"); got != listed {
		t.Errorf("%q", got)
	}
	// Nothing is left of a session whose connection is cut, nor of a container that stops.
	_ = two.Cmd.Process.Kill()
	e2e.Eventually(t, "the second socket is removed", func() bool { return e2e.SSH(t, u, "ls -d "+path.Dir(second)).Status != 0 })
	three := e2e.SSHConsole(t, u, "-A")
	three.FirstPrompt()
	e2e.OnHost(t, "docker", "restart", u.Container(t))
	e2e.SSH(t, u, "ls /tmp | grep ssh-[^a]").Want(t, "", "", 1)
}

func TestAgentOfASharedContainerTakesTheAdministratorsWord(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "without root, users share no container")
	e2e.StartSSHAgent(t)
	const sock = `[ -S "$SSH_AUTH_SOCK" ] && echo yes || echo no`
	one, other := e2e.NewUser(t), e2e.NewUser(t)
	for i, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"containerusername = root"}, "no"},
		{nil, "yes"}, // each as themselves
		{[]string{"containerusername = root", "forwardagent"}, "yes"},
		{[]string{"forwardagent = false"}, "no"},
	} {
		name := "shared-agent" + strconv.Itoa(i)
		for _, u := range []*e2e.Account{one, other} {
			u.Configure(t, append(c.lines, "containername = "+name)...)
			e2e.SSH(t, u, "-A", "--", sock).Want(t, c.want+"\n", "", 0)
			e2e.SSH(t, u, "-A", "-tt", "--", sock).Want(t, c.want+"\r\n", "", 0)
		}
		s := e2e.SSHConsole(t, one, "-A")
		s.FirstPrompt()
		if shown := s.Shown(); strings.Contains(shown, notForwarded) != (c.want == "no") {
			t.Errorf("%q: %q", c.lines, shown)
		}
		out := e2e.MustCtl(t, "explain", one.Name)
		if strings.Contains(out, "ssh -A carries no agent") != (i == 0) {
			t.Errorf("%q: %s", c.lines, out)
		}
		s.Line("exit")
		s.Wait()
		_ = exec.Command("docker", "rm", "-f", name).Run()
	}
}

func TestSocketGoesToTheFirstPlaceThatTakesIt(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.StartSSHAgent(t)
	e2e.DockerImages.MakeImage(t, "dsh-notmp", "rmdir tmp")
	u := e2e.NewUser(t, "imagename = dsh-notmp")
	if got := e2e.SSH(t, u, "-A", "--", `echo ${SSH_AUTH_SOCK%/ssh-*}`).Stdout; got != "/dev/shm\n" {
		t.Errorf("%q", got)
	}
}
