//go:build e2e

package admin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// A bash with bash-completion, as distributions load it, and its Tab key.
func TestBashCompletesCommandsContainersUsersAndSessions(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	e2e.LiveSession(t, u)
	name, id := u.Name+"_dockersh", listedOf(t, u)[0].ID
	rc := filepath.Join(t.TempDir(), "rc")
	const setup = "PS1='$ '; PATH=%s/bin:$PATH; bind 'set enable-bracketed-paste off'\n. /usr/share/bash-completion/bash_completion\n. %[1]s/share/bash-completion/completions/dockershctl\n"
	if err := os.WriteFile(rc, fmt.Appendf(nil, setup, e2e.Prefix), 0o644); err != nil {
		t.Fatal(err)
	}
	c := e2e.NewConsole(t, 24, 120, "/bin/bash", "--rcfile", rc, "-i")
	for _, k := range []struct{ keys, want string }{
		{"expl\t", "explain "},
		{"reset " + name[:len(name)-3] + "\t", "reset " + name + " "},
		{"commit " + name[:len(name)-3] + "\tbusy\t", "commit " + name + " busybox "},
		{"kick " + id[:len(id)-3] + "\t", "kick " + id + " "},
		{"kick --user roo\t", "kick --user root "},
		{"kick --user=roo\t", "kick --user=root "},
		{"rm --f\t", "rm --force "},
		{"help mess\t", "help message "},
		{"check /etc/passw\t", "check /etc/passwd"},
	} {
		c.Send("clear; echo ready\n")
		e2e.Eventually(t, "a prompt", func() bool { return strings.Contains(c.Screen(24, 120), "ready\n$") })
		c.Send("dockershctl " + k.keys)
		e2e.Eventually(t, "dockershctl "+k.want, func() bool {
			return strings.Contains(c.Screen(24, 120), "$ dockershctl "+strings.TrimSuffix(k.want, " "))
		})
		c.Send("\x15")
	}
	c.Send("exit\n")
	c.Wait()
}

func TestEveryCommandExplainsItself(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	out, _, _ := e2e.Ctl(t, "help")
	seen := 0
	for line := range strings.Lines(out) {
		command, does, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(line, "  ") || !ok {
			continue
		}
		seen++
		page, errs, status := e2e.Ctl(t, "help", command)
		same, _, _ := e2e.Ctl(t, command, "--help")
		if status != 0 || errs != "" || page != same || !strings.HasPrefix(page, "usage: dockershctl "+command) || !strings.Contains(strings.ToLower(page), strings.ToLower(strings.TrimSpace(does))) {
			t.Errorf("%s: %d %q %q", command, status, page, errs)
		}
	}
	if seen < 15 {
		t.Errorf("%d commands: %q", seen, out)
	}
	if _, errs, status := e2e.Ctl(t, "help", "rest"); status != 1 || errs != "dockershctl: error: unknown command \"rest\"\nhint: did you mean reset?\n" {
		t.Errorf("%d %q", status, errs)
	}
	if _, err := os.Stat(e2e.Prefix + "/share/zsh/site-functions/_dockershctl"); err != nil {
		t.Error(err)
	}
}
