//go:build e2e

package session

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// ways are the configurations with which sshd runs dockersh.
var ways = map[string]struct{ shell, command string }{
	"ForceCommand with bash as the shell":     {"/bin/bash", ""},
	"ForceCommand with dockersh as the shell": {e2e.Front, ""},
	"command= with bash as the shell":         {"/bin/bash", e2e.Front},
	"command= with dockersh as the shell":     {e2e.Front, e2e.Front},
	"ForceCommand and command= with dockersh": {e2e.Front, e2e.Front + " "},
}

func TestForcedCommandRunsDockersh(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			u := e2e.NewAccount(t, way.shell)
			if way.command == "" || strings.HasSuffix(way.command, " ") {
				u.Join(t, e2e.ForcedGroup)
			}
			if way.command != "" {
				key, err := os.ReadFile(e2e.Scratch + "/key.pub")
				if err != nil {
					t.Fatal(err)
				}
				if err := u.Authorize(`command="` + strings.TrimSpace(way.command) + `" ` + string(key)); err != nil {
					t.Fatal(err)
				}
			}
			e2e.SSH(t, u, "test -e /.dockersh && echo inside; echo $SHELL; exit 44").Want(t, "inside\n/bin/ash\n", "", 44)
			e2e.SSH(t, u, "-tt", "--", "tty >/dev/null && echo yes").Want(t, "yes\r\n", "", 0)
			e2e.SSHInput(t, u, strings.NewReader("data"), "cat; echo err >&2").Want(t, "data", "err\n", 0)
			c := e2e.SSHConsole(t, u)
			c.FirstPrompt()
			if got := c.Run("echo $0"); got != "-ash" {
				t.Errorf("$0 is %q, want -ash", got)
			}
			c.Line("exit 9")
			if status := c.Wait(); status != 9 {
				t.Errorf("status %d, want 9", status)
			}
			u.Container(t)
		})
	}
}

func TestForcedCommandOfAKeyHasTheOriginalOne(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	key, err := os.ReadFile(e2e.Scratch + "/key.pub")
	if err != nil {
		t.Fatal(err)
	}
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		t.Cleanup(func() {
			if err := u.Authorize(string(key)); err != nil {
				t.Error(err)
			}
		})
		if err := u.Authorize(`command="echo \"<$SSH_ORIGINAL_COMMAND>\"; cat; exit 7" ` + string(key)); err != nil {
			t.Fatal(err)
		}
		e2e.SSHInput(t, u, strings.NewReader("data"), "rsync --server 'a  b' $HOME; é").Want(t, "<rsync --server 'a  b' $HOME; é>\ndata", "", 7)
		e2e.SSHInput(t, u, strings.NewReader(""), "").Want(t, "<>\n", "", 7)
	})
}

func TestForcedCommandCannotBeEscaped(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t, "hostname = inside")
	u.Join(t, e2e.ForcedGroup)
	for _, command := range []string{
		"ls; cat /proc/sys/kernel/hostname && sh",
		e2e.Front + " -c 'cat /proc/sys/kernel/hostname'",
		"-c cat /proc/sys/kernel/hostname",
		"$(cat /proc/sys/kernel/hostname)",
	} {
		if r := e2e.SSH(t, u, command); strings.Contains(r.Stdout+r.Stderr, "apart") {
			t.Errorf("%q ran on the host: %q %q", command, r.Stdout, r.Stderr)
		}
	}
}

func TestHostsBashrcDoesNotRunForADockershShell(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "mounthome")
	u.WriteFile(t, ".bashrc", "touch "+e2e.Homes+"/"+u.Name+"/bashrc-ran; cat /proc/sys/kernel/hostname\n", 0o644)
	if r := e2e.SSH(t, u, "true"); r.Stdout != "" {
		t.Errorf("%q", r.Stdout)
	}
	if _, err := os.Stat(u.Home + "/bashrc-ran"); err == nil {
		t.Error("~/.bashrc ran")
	}
}
