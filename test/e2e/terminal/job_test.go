//go:build e2e

package terminal

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestCtrlCEndsTheForegroundJobOnly(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u)
		c.FirstPrompt()
		sleep := fmt.Sprintf("sleep %d", 10_000+u.UID)
		c.Line(sleep)
		untilForeground(t, sleep)
		c.Send("\x03")
		c.Prompt()
		if got := c.Run("echo $?"); got != "130" {
			t.Errorf("status %q of an interrupted command, want 130", got)
		}
		c.Line("exit 7")
		if status := c.Wait(); status != 7 {
			t.Errorf("status %d, want 7", status)
		}
	})
}

// untilForeground waits until a process with exactly this command line has its terminal.
// Before that a shell may have printed the command, and the keys are still its own.
func untilForeground(t testing.TB, args string) {
	t.Helper()
	e2e.Eventually(t, args+" is in the foreground", func() bool {
		for _, pid := range e2e.PidsOf(func(_ int, a string) bool { return a == args }) {
			const group, foreground = 2, 5 // pgrp and tpgid of proc_pid_stat(5), from the state on
			if f := e2e.ProcStat(fmt.Sprintf("/proc/%d/stat", pid)); len(f) > foreground && f[group] == f[foreground] {
				return true
			}
		}
		return false
	})
}

func TestCtrlZStopsAndFgContinues(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u)
		c.FirstPrompt()
		sleep := fmt.Sprintf("sleep %d", 20_000+u.UID)
		c.Line(sleep)
		untilForeground(t, sleep)
		c.Send("\x1a")
		c.Expect("Stopped")
		c.Prompt()
		if got := c.Run("jobs"); !strings.Contains(got, "Stopped") || !strings.Contains(got, sleep) {
			t.Errorf("jobs: %q", got)
		}
		c.Run("bg")
		if got := c.Run("jobs"); !strings.Contains(got, "Running") {
			t.Errorf("jobs after bg: %q", got)
		}
		c.Line("fg")
		c.Expect(sleep)
		untilForeground(t, sleep)
		c.Send("\x03")
		c.Prompt()
		if got := c.Run("jobs"); got != "" {
			t.Errorf("jobs at the end: %q", got)
		}
	})
}

func TestCtrlDEndsTheShell(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u)
		c.FirstPrompt()
		c.Run("(exit 9)")
		c.Send("\x04")
		if status := c.Wait(); status != 9 {
			t.Errorf("status %d, want that of the last command", status)
		}
	})
}

func TestShellHasJobControl(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		c := e2e.SSHConsole(t, u)
		c.FirstPrompt()
		if got := c.Shown(); strings.Contains(got, "job control") || strings.Contains(got, "cannot set") {
			t.Errorf("%q", got)
		}
	})
}

func TestTmuxRunsInside(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for name, u := range map[string]*e2e.Account{"bash": e2e.Plain, "dockersh": e2e.Boxed} {
		t.Run(name, func(t *testing.T) {
			c := e2e.NewConsole(t, 24, 80, e2e.SSHArgv(u, "-tt", "127.0.0.1", "tmux -L e2e -f /dev/null new-session 'stty size; echo in:$TMUX; exec cat'")...)
			c.Expect(`23 80`)
			c.Expect(`in:/tmp/tmux`)
			c.Resize(40, 100)
			e2e.Eventually(t, "tmux takes the new size", func() bool {
				return e2e.SSH(t, u, "tmux -L e2e display-message -p '#{client_width}x#{client_height}'").Stdout == "100x40\n"
			})
			c.Send("\x02d")
			c.Expect("detached")
			if status := c.Wait(); status != 0 {
				t.Errorf("status %d", status)
			}
			e2e.SSH(t, u, "tmux -L e2e list-sessions -F '#{session_attached}'").Want(t, "0\n", "", 0)
			e2e.SSH(t, u, "tmux -L e2e kill-server").Want(t, "", "", 0)
		})
	}
}
