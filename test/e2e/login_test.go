//go:build e2e

package e2e

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestInteractiveLoginReadsProfile(t *testing.T) {
	test := func(u *account) func(t *testing.T) {
		return func(t *testing.T) {
			u.file(t, ".profile", "echo profile-was-read; PS1='$ '\n", 0o644)
			c := sshConsole(t, u)
			c.expect("profile-was-read")
			c.login()
			if got := c.run("echo $0"); !strings.HasPrefix(got, "-") {
				t.Errorf("$0 is %q, want a dash first", got)
			}
			ssh(t, u, "echo only").want(t, "only\n", "", 0)
		}
	}
	t.Run("bash", test(plain))
	t.Run("dockersh", test(boxed))
}

func TestCommandIsRunByPlainShellWithC(t *testing.T) {
	same(t, func(t *testing.T, u *account) string {
		return ssh(t, u, `echo "$0|$-|$#"`).stdout
	})
}

func TestScriptOnStdinIsRunByALoginShell(t *testing.T) {
	same(t, func(t *testing.T, u *account) string {
		r := sshInput(t, u, strings.NewReader("echo \"$0\"; shopt login_shell; exit 4\n"), "-T", "--")
		if r.status != 4 {
			t.Errorf("status %d", r.status)
		}
		return r.stdout
	})
}

func TestRCOfSSHDoesNothing(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		if !u.boxedShell() {
			t.Skip("sshd runs it with a shell of the host: that is what it is for")
		}
		// sshd sends the whole path since 8.0, and before ".ssh/rc".
		u.file(t, ".ssh/rc", "echo rc-was-read\ntouch "+homes+"/rc-ran\n", 0o644)
		ssh(t, u, "echo only").want(t, "only\n", "", 0)
		if out := run(t, "ls", homes); strings.Contains(out, "rc-ran") {
			t.Error("~/.ssh/rc ran on the host")
		}
	})
}

func TestNothingButTheCommandsOutputIsOnStdout(t *testing.T) {
	// The first login of all: the container is made.
	u := newBoxed(t, `banner = "Welcome!"`)
	ssh(t, u, "true").want(t, "", "", 0)
	ssh(t, u, "echo warm").want(t, "warm\n", "", 0)
}

// newBoxed is a new dockersh user in the default image.
func newBoxed(t *testing.T, lines ...string) *account {
	t.Helper()
	return newUser(t, front, lines...)
}

// fromTheHost are the ways to log in that do not come from sshd. Each gives the
// shell the name "-dockersh".
var fromTheHost = map[string]func(user string) []string{
	"su":    func(user string) []string { return []string{"su", "-", user} },
	"sudo":  func(user string) []string { return []string{"sudo", "-iu", user} },
	"login": func(user string) []string { return []string{"login", "-f", user} }, // what getty starts on a console
}

func TestSuSudoAndConsoleRunALogin(t *testing.T) {
	keepFile(t, "/etc/pam.d/login")
	// Not the machine's own: who writes an audit trail need not be able to here.
	write(t, "/etc/pam.d/login", "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n")
	for way, argv := range fromTheHost {
		t.Run(way, func(t *testing.T) {
			both(t, func(t *testing.T, u *account) {
				c := newConsole(t, 24, 80, argv(u.name)...)
				c.login()
				if got := c.run("id -un"); got != u.name {
					t.Errorf("id -un: %q", got)
				}
				// Over the engine's exec it is SHELL -l: no call of its sets argv[0].
				if got := c.run("echo $0"); !strings.HasPrefix(got, "-") && !u.overStream() {
					t.Errorf("$0 is %q, want a dash first", got)
				}
				if got := c.run("stty size"); got != "24 80" {
					t.Errorf("stty size: %q", got)
				}
				c.line("exit 5")
				// login(1) waits for the shell and keeps its status to itself.
				if status := c.wait(); status != 5 && way != "login" {
					t.Errorf("status %d, want 5", status)
				}
			})
		})
	}
}

func TestSuAndSudoRunACommand(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		if out := run(t, "su", "-", u.name, "-c", "echo $((6*7)); id -un"); out != "42\n"+u.name {
			t.Errorf("su -c: %q", out)
		}
		// sudo escapes what it is given, and runs -dockersh -c COMMAND.
		if out := run(t, "sudo", "-iu", u.name, "sh", "-c", "echo $((6*7)); id -un"); out != "42\n"+u.name {
			t.Errorf("sudo -iu: %q", out)
		}
		if out, err := exec.Command("sudo", "-iu", u.name, "exit", "7").CombinedOutput(); exitStatus(err) != 7 {
			t.Errorf("sudo -iu exit 7: %v %s", err, out)
		}
	})
}

func exitStatus(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

func TestConsoleIsRestoredAfterALogin(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := newConsole(t, 24, 80, "su", "-", u.name)
		before := c.modes()
		c.expect(`[$#] $`)
		c.line("exit")
		c.wait()
		if after := c.modes(); after != before {
			t.Errorf("modes before %+v, after %+v", before, after)
		}
	})
}

func TestConsoleIsRestoredAfterAKilledShell(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		if !u.boxedShell() {
			t.Skip("bash uses the host's terminal itself")
		}
		c := newConsole(t, 24, 80, "su", "-", u.name)
		before := c.modes()
		c.login()
		c.run("stty raw -echo")
		c.send("kill -9 $$\n")
		if status := c.wait(); status != 137 {
			t.Errorf("status %d, want 137", status)
		}
		if after := c.modes(); after != before {
			t.Errorf("modes before %+v, after %+v", before, after)
		}
	})
}
