//go:build e2e

package session

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestInteractiveLoginReadsProfile(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	test := func(u *e2e.Account) func(t *testing.T) {
		return func(t *testing.T) {
			u.WriteFile(t, ".profile", "echo profile-was-read; PS1='$ '\n", 0o644)
			c := e2e.SSHConsole(t, u)
			c.Expect("profile-was-read")
			c.FirstPrompt()
			if got := c.Run("echo $0"); !strings.HasPrefix(got, "-") {
				t.Errorf("$0 is %q, want a dash first", got)
			}
			e2e.SSH(t, u, "echo only").Want(t, "only\n", "", 0)
		}
	}
	t.Run("bash", test(e2e.Plain))
	t.Run("dockersh", test(e2e.Boxed))
}

func TestCommandRunsInAPlainShellWithC(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.SameResult(t, func(t *testing.T, u *e2e.Account) string {
		return e2e.SSH(t, u, `echo "$0|$-|$#"`).Stdout
	})
}

func TestScriptOnStdinRunsInALoginShell(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.SameResult(t, func(t *testing.T, u *e2e.Account) string {
		r := e2e.SSHInput(t, u, strings.NewReader("echo \"$0\"; shopt login_shell; exit 4\n"), "-T", "--")
		if r.Status != 4 {
			t.Errorf("status %d", r.Status)
		}
		return r.Stdout
	})
}

func TestSSHRCIsNotRun(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		if !u.InContainer() {
			t.Skip("sshd runs it with the host's shell, as it should")
		}
		e2e.NeedsAgent(t, u, "the home of these users is mounted by hand, so it proves nothing")
		// sshd sends the whole path since 8.0, and ".ssh/rc" before.
		u.WriteFile(t, ".ssh/rc", "echo rc-was-read\ntouch "+e2e.Homes+"/rc-ran\n", 0o644)
		e2e.SSH(t, u, "echo only").Want(t, "only\n", "", 0)
		if out := e2e.OnHost(t, "ls", e2e.Homes); strings.Contains(out, "rc-ran") {
			t.Error("~/.ssh/rc ran on the host")
		}
	})
}

func TestStdoutHasTheCommandsOutputOnly(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	// The first login creates the container.
	u := e2e.NewUser(t, `banner = "Welcome!"`)
	e2e.SSH(t, u, "true").Want(t, "", "", 0)
	e2e.SSH(t, u, "echo warm").Want(t, "warm\n", "", 0)
}

// fromTheHost are the ways to log in without sshd. Each starts the shell under the name
// "-dockersh".
var fromTheHost = map[string]func(user string) []string{
	"su":    func(user string) []string { return []string{"su", "-", user} },
	"sudo":  func(user string) []string { return []string{"sudo", "-iu", user} },
	"login": func(user string) []string { return []string{"login", "-f", user} }, // what getty starts on a console
}

func TestSuSudoAndLoginStartALoginShell(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.RestoreFile(t, "/etc/pam.d/login")
	// Not the host's own, which may write an audit trail and fail at that here.
	e2e.WriteFile(t, "/etc/pam.d/login", "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n")
	for way, argv := range fromTheHost {
		t.Run(way, func(t *testing.T) {
			e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
				c := e2e.NewConsole(t, 24, 80, argv(u.Name)...)
				c.FirstPrompt()
				if got := c.Run("id -un"); got != u.Name {
					t.Errorf("id -un: %q", got)
				}
				// Over the engine's exec it is SHELL -l: no call sets argv[0].
				if got := c.Run("echo $0"); !strings.HasPrefix(got, "-") && !u.OverExec() {
					t.Errorf("$0 is %q, want a dash first", got)
				}
				if got := c.Run("stty size"); got != "24 80" {
					t.Errorf("stty size: %q", got)
				}
				c.Line("exit 5")
				// login(1) does not pass the shell's status on.
				if status := c.Wait(); status != 5 && way != "login" {
					t.Errorf("status %d, want 5", status)
				}
			})
		})
	}
}

func TestSuAndSudoRunACommand(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		if out := e2e.OnHost(t, "su", "-", u.Name, "-c", "echo $((6*7)); id -un"); out != "42\n"+u.Name {
			t.Errorf("su -c: %q", out)
		}
		// sudo escapes the command and runs -dockersh -c COMMAND.
		if out := e2e.OnHost(t, "sudo", "-iu", u.Name, "sh", "-c", "echo $((6*7)); id -un"); out != "42\n"+u.Name {
			t.Errorf("sudo -iu: %q", out)
		}
		if out, err := exec.Command("sudo", "-iu", u.Name, "exit", "7").CombinedOutput(); e2e.ExitStatus(err) != 7 {
			t.Errorf("sudo -iu exit 7: %v %s", err, out)
		}
	})
}

func TestConsoleIsRestoredAfterALogin(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.NewConsole(t, 24, 80, "su", "-", u.Name)
		before := c.Modes()
		c.Expect(`[$#] $`)
		c.Line("exit")
		c.Wait()
		if after := c.Modes(); after != before {
			t.Errorf("modes before %+v, after %+v", before, after)
		}
	})
}

func TestConsoleIsRestoredAfterAKilledShell(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		if !u.InContainer() {
			t.Skip("bash uses the host's terminal itself")
		}
		c := e2e.NewConsole(t, 24, 80, "su", "-", u.Name)
		before := c.Modes()
		c.FirstPrompt()
		c.Run("stty raw -echo")
		c.Send("kill -9 $$\n")
		if status := c.Wait(); status != 137 {
			t.Errorf("status %d, want 137", status)
		}
		if after := c.Modes(); after != before {
			t.Errorf("modes before %+v, after %+v", before, after)
		}
	})
}
