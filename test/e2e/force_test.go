//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

// ways are the set-ups by which sshd can be told to run dockersh.
var ways = map[string]struct{ shell, command string }{
	"ForceCommand with bash as the shell":     {"/bin/bash", ""},
	"ForceCommand with dockersh as the shell": {front, ""},
	"command= with bash as the shell":         {"/bin/bash", front},
	"command= with dockersh as the shell":     {front, front},
	"ForceCommand and command= with dockersh": {front, front + " "},
}

func TestForcedCommand(t *testing.T) {
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			u := newUser(t, way.shell)
			if way.command == "" || strings.HasSuffix(way.command, " ") {
				u.join(t, forced)
			}
			if way.command != "" {
				key, err := os.ReadFile(scratch + "/key.pub")
				if err != nil {
					t.Fatal(err)
				}
				if err := u.authorize(`command="` + strings.TrimSpace(way.command) + `" ` + string(key)); err != nil {
					t.Fatal(err)
				}
			}
			ssh(t, u, "hostname | wc -c; echo $SHELL; exit 44").want(t, "13\n/bin/ash\n", "", 44)
			ssh(t, u, "-tt", "--", "tty >/dev/null && echo yes").want(t, "yes\r\n", "", 0)
			sshInput(t, u, strings.NewReader("data"), "cat; echo err >&2").want(t, "data", "err\n", 0)
			c := sshConsole(t, u)
			c.login()
			if got := c.run("echo $0"); got != "-ash" {
				t.Errorf("$0 is %q, want -ash", got)
			}
			c.line("exit 9")
			if status := c.wait(); status != 9 {
				t.Errorf("status %d, want 9", status)
			}
			u.container(t)
		})
	}
}

func TestForcedCommandCannotBeEscaped(t *testing.T) {
	u := newUser(t, front)
	u.join(t, forced)
	for _, command := range []string{
		"ls; cat /proc/sys/kernel/hostname && sh",
		front + " -c 'cat /proc/sys/kernel/hostname'",
		"-c cat /proc/sys/kernel/hostname",
		"$(cat /proc/sys/kernel/hostname)",
	} {
		if r := ssh(t, u, command); strings.Contains(r.stdout+r.stderr, "apart") {
			t.Errorf("%q ran on the host: %q %q", command, r.stdout, r.stderr)
		}
	}
}

func TestHostsBashrcDoesNotRunForADockershShell(t *testing.T) {
	u := newBoxed(t, "mounthome")
	u.file(t, ".bashrc", "touch "+homes+"/"+u.name+"/bashrc-ran; cat /proc/sys/kernel/hostname\n", 0o644)
	if r := ssh(t, u, "true"); r.stdout != "" {
		t.Errorf("%q", r.stdout)
	}
	if _, err := os.Stat(u.home + "/bashrc-ran"); err == nil {
		t.Error("~/.bashrc ran")
	}
}
