//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

func TestCtrlCEndsTheForegroundJobOnly(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u)
		c.login()
		c.line("sleep 1000")
		c.untilRuns("sleep 1000")
		c.send("\x03")
		c.prompt()
		if got := c.run("echo $?"); got != "130" {
			t.Errorf("status %q of an interrupted command, want 130", got)
		}
		c.line("exit 7")
		if status := c.wait(); status != 7 {
			t.Errorf("status %d, want 7", status)
		}
	})
}

// untilRuns waits until a command line, unlike any other, is a process.
func (c *console) untilRuns(args string) {
	c.t.Helper()
	eventually(c.t, args+" runs", func() bool { return argsRun(args) })
}

func TestCtrlZStopsAndFgGoesOn(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u)
		c.login()
		c.line("sleep 1001")
		c.untilRuns("sleep 1001")
		c.send("\x1a")
		c.expect("Stopped")
		c.prompt()
		if got := c.run("jobs"); !strings.Contains(got, "Stopped") || !strings.Contains(got, "sleep 1001") {
			t.Errorf("jobs: %q", got)
		}
		c.run("bg")
		if got := c.run("jobs"); !strings.Contains(got, "Running") {
			t.Errorf("jobs after bg: %q", got)
		}
		c.line("fg")
		c.expect("sleep 1001")
		c.send("\x03")
		c.prompt()
		if got := c.run("jobs"); got != "" {
			t.Errorf("jobs at the end: %q", got)
		}
	})
}

func TestCtrlDEndsTheShell(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u)
		c.login()
		c.run("(exit 9)")
		c.send("\x04")
		if status := c.wait(); status != 9 {
			t.Errorf("status %d, want that of the last command", status)
		}
	})
}

func TestShellComplainsOfNoJobControl(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		c := sshConsole(t, u)
		c.login()
		if got := c.shown(); strings.Contains(got, "job control") || strings.Contains(got, "cannot set") {
			t.Errorf("%q", got)
		}
	})
}

func TestTmuxRunsInside(t *testing.T) {
	for name, u := range map[string]*account{"bash": plain, "dockersh": boxed} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, 24, 80, sshArgv(u, "-tt", "127.0.0.1", "tmux -L e2e -f /dev/null new-session 'stty size; echo in:$TMUX; exec cat'")...)
			c.expect(`23 80`)
			c.expect(`in:/tmp/tmux`)
			c.size(40, 100)
			eventually(t, "tmux takes the new size", func() bool {
				return ssh(t, u, "tmux -L e2e display-message -p '#{client_width}x#{client_height}'").stdout == "100x40\n"
			})
			c.send("\x02d")
			c.expect("detached")
			if status := c.wait(); status != 0 {
				t.Errorf("status %d", status)
			}
			ssh(t, u, "tmux -L e2e list-sessions -F '#{session_attached}'").want(t, "0\n", "", 0)
			ssh(t, u, "tmux -L e2e kill-server").want(t, "", "", 0)
		})
	}
}
