//go:build e2e

package e2e

import (
	"regexp"
	"strings"
	"testing"
)

func TestSSHVariablesAreSet(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		r := ssh(t, u, `echo "$SSH_CLIENT|$SSH_CONNECTION|$SSH_TTY"`)
		if !regexp.MustCompile(`^127\.0\.0\.1 \d+ 2222\|127\.0\.0\.1 \d+ 127\.0\.0\.1 2222\|\n$`).MatchString(r.stdout) {
			t.Errorf("%q", r.stdout)
		}
		r = ssh(t, u, "-tt", "--", `[ "$SSH_TTY" = "$(tty)" ] && echo right`)
		r.want(t, "right\r\n", "", 0)
	})
}

func TestClientsLanguagePassesAndTheDangerousDoesNot(t *testing.T) {
	u := newBoxed(t)
	set := []string{"LC_TIME=de_DE", "COLORTERM=truecolor", "TZ=UTC", "NASTY_ONE=x", "LD_PRELOAD=/x.so", "BASH_ENV=/x", "PATH=/evil"}
	// Only the first SetEnv counts, so all go in one.
	out := ssh(t, u, "-o", "SetEnv="+strings.Join(set, " "), "--", "env").stdout
	for _, want := range set[:3] {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("%s is missing:\n%s", want, out)
		}
	}
	for _, bad := range []string{"NASTY_ONE", "LD_PRELOAD", "BASH_ENV", "/evil", "SSH_ORIGINAL_COMMAND"} {
		if strings.Contains(out, bad) {
			t.Errorf("%s came inside:\n%s", bad, out)
		}
	}
}

func TestNoDescriptorOfTheHostIsOpenInside(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		if !u.boxedShell() {
			t.Skip("that is the host")
		}
		out := ssh(t, u, "for f in /proc/$$/fd/*; do readlink $f; done | grep -v pipe:").stdout
		if strings.TrimSpace(out) != "" {
			t.Errorf("open besides the pipes: %s", out)
		}
	})
}

func TestFileAsStdinStaysOnTheHost(t *testing.T) {
	u := newBoxed(t)
	u.file(t, "data", "from a file\n", 0o644)
	// sshd gives pipes; su lets a file through to the shell.
	out := run(t, "sh", "-c", "su - "+u.name+" -c 'cat; readlink /proc/self/fd/0' <"+u.home+"/data")
	if !strings.HasPrefix(out, "from a file\n") || strings.Contains(out, u.home) {
		t.Errorf("%q", out)
	}
	target := u.home + "/result"
	run(t, "sh", "-c", "su - "+u.name+" -c 'echo to a file; readlink /proc/self/fd/1 >&2' >"+target+" 2>"+target+".err")
	if got := run(t, "cat", target); got != "to a file" {
		t.Errorf("%q", got)
	}
	if got := run(t, "cat", target+".err"); strings.Contains(got, u.home) {
		t.Errorf("stdout inside is %q", got)
	}
}
