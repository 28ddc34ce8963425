//go:build e2e

package e2e

import (
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

func TestSuRunsACommandAndALogin(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		if out := run(t, "su", "-", u.name, "-c", "echo $((6*7)); id -un"); out != "42\n"+u.name {
			t.Errorf("su -c: %q", out)
		}
		c := newConsole(t, 24, 80, "su", "-", u.name)
		c.login()
		if got := c.run("id -un"); got != u.name {
			t.Errorf("id -un: %q", got)
		}
		if got := c.run("stty size"); got != "24 80" {
			t.Errorf("stty size: %q", got)
		}
		c.line("exit 5")
		if status := c.wait(); status != 5 {
			t.Errorf("status %d, want 5", status)
		}
	})
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
