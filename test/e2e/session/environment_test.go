//go:build e2e

package session

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestSSHVariablesAreSet(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		r := e2e.SSH(t, u, `echo "$SSH_CLIENT|$SSH_CONNECTION|$SSH_TTY"`)
		if !regexp.MustCompile(`^127\.0\.0\.1 \d+ 2222\|127\.0\.0\.1 \d+ 127\.0\.0\.1 2222\|\n$`).MatchString(r.Stdout) {
			t.Errorf("%q", r.Stdout)
		}
		r = e2e.SSH(t, u, "-tt", "--", `[ "$SSH_TTY" = "$(tty)" ] && echo right`)
		r.Want(t, "right\r\n", "", 0)
	})
}

func TestLocalePassesAndDangerousVariablesDoNot(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	set := []string{"LC_TIME=de_DE", "COLORTERM=truecolor", "TZ=UTC", "NASTY_ONE=x", "LD_PRELOAD=/x.so", "BASH_ENV=/x", "PATH=/evil"}
	// Only the first SetEnv counts.
	out := e2e.SSH(t, u, "-o", "SetEnv="+strings.Join(set, " "), "--", "env").Stdout
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

func TestGitProtocolPasses(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "-o", "SetEnv=GIT_PROTOCOL=version=2:$(x)", "--", `echo "$GIT_PROTOCOL"`).Want(t, "version=2:$(x)\n", "", 0)
	})
}

// profile is a part of Debian's /etc/profile.
const profile = `PATH=/usr/local/bin:/usr/bin:/bin
export PATH
for i in /etc/profile.d/*.sh; do [ ! -r $i ] || . $i; done
`

func TestLoginShellHasThePathOfTheImage(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	const path = "/opt/it's/bin:/bin"
	e2e.DockerImages.MakeImage(t, "dsh-path", "cat >etc/profile <<'X'\n"+profile+"X\n", `ENV PATH="`+path+`"`)
	for _, lines := range [][]string{nil, {"entrypoint = /bin/sleep", "cmd = 32400"}} {
		u := e2e.NewUser(t, append(lines, "imagename = dsh-path")...)
		e2e.SSH(t, u, "echo $PATH; ash -lc 'echo $PATH'").Want(t, path+"\n"+path+"\n", "", 0)
	}
	// What the administrator mounts there stays as it is.
	const dir = "/srv/profile.d"
	e2e.OnHost(t, "install", "-d", dir)
	u := e2e.NewUser(t, "imagename = dsh-path", "volume = "+dir+":/etc/profile.d")
	e2e.SSH(t, u, "echo $PATH; ash -lc 'echo $PATH'; ls -A /etc/profile.d").Want(t, path+"\n/usr/local/bin:/usr/bin:/bin\n", "", 0)
}

func TestNoDescriptorOfTheHostIsOpenInside(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		if !u.InContainer() {
			t.Skip("that is the host")
		}
		out := e2e.SSH(t, u, "for f in /proc/$$/fd/*; do readlink $f; done | grep -v pipe:").Stdout
		if strings.TrimSpace(out) != "" {
			t.Errorf("open besides the pipes: %s", out)
		}
	})
}

func TestFileAsStdinStaysOnTheHost(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t)
	u.WriteFile(t, "data", "from a file\n", 0o644)
	// sshd uses pipes; su passes a file on to the shell.
	out := e2e.OnHost(t, "sh", "-c", "su - "+u.Name+" -c 'cat; readlink /proc/self/fd/0' <"+u.Home+"/data")
	if !strings.HasPrefix(out, "from a file\n") || strings.Contains(out, u.Home) {
		t.Errorf("%q", out)
	}
	target := u.Home + "/result"
	e2e.OnHost(t, "sh", "-c", "su - "+u.Name+" -c 'echo to a file; readlink /proc/self/fd/1 >&2' >"+target+" 2>"+target+".err")
	if got := e2e.OnHost(t, "cat", target); got != "to a file" {
		t.Errorf("%q", got)
	}
	if got := e2e.OnHost(t, "cat", target+".err"); strings.Contains(got, u.Home) {
		t.Errorf("stdout inside is %q", got)
	}
}
