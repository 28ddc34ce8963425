//go:build e2e

package settings

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestBrokenUserFileLocksNobodyOut(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "imagename = busybox", "enableuserconfig", "enableuserimagename", "enableusershell", "enableusermounthometo")
	for text, why := range map[string]string{
		"[dockersh\n":                "closing bracket",
		"[dockersh]\nnonsense = 1\n": "unknown setting",
		"[dockersh]\nmemory = 1g\n":  "only the administrator can set it",
		"[dockersh]\nshell = bash\n": "shell",
	} {
		u.WriteFile(t, ".dockersh", text, 0o644)
		r := e2e.SSH(t, u, "echo $0 $SHELL")
		r.Ignored(t, why)
		if r.Stdout != "ash /bin/ash\n" || strings.Count(r.Stderr, "\n") != 1 {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func TestImageThatDoesNotExistLocksNobodyOut(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "imagename = busybox", "enableuserconfig", "enableuserimagename", "enableusercontainername")
	u.WriteFile(t, ".dockersh", "[dockersh]\nimagename = none.invalid/x\ncontainername = own\n", 0o644)
	r := e2e.SSH(t, u, "id -un")
	r.Ignored(t, "there is no image none.invalid/x")
	if r.Stdout != u.Name+"\n" || strings.Count(r.Stderr, "\n") != 1 {
		t.Errorf("%+v", r)
	}
}

func TestShellThatTheContainerLacksIsReplaced(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	lines := []string{"imagename = busybox", "enableuserconfig", "enableusershell"}
	users := []*e2e.Account{e2e.NewUser(t, lines...)}
	if e2e.Door == "service" {
		users = append(users, e2e.NewUser(t, append(lines, "record = "+e2e.Recordings+"/%u/%x.cast")...))
	}
	for _, u := range users {
		u.WriteFile(t, ".dockersh", "[dockersh]\nshell = /bin/zsh\n", 0o644)
		const line = "dockersh: /bin/zsh cannot be run in the container, so the shell of ~/.dockersh is ignored\n"
		e2e.SSH(t, u, "echo $0 $SHELL; exit 3").Want(t, "ash /bin/ash\n", line, 3)
		c := e2e.LiveSession(t, u)
		if !strings.Contains(c.Shown(), strings.TrimSpace(line)) {
			t.Errorf("%q", c.Shown())
		}
		if out := c.Run("echo $0:$SHELL"); !strings.Contains(out, "-ash:/bin/ash") {
			t.Errorf("%q", out)
		}
	}
}

func TestUserFileIsThatOfTheHomeInside(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.OnHost(t, "install", "-d", "/srv/inside")
	t.Cleanup(func() { e2e.OnHost(t, "rm", "-rf", "/srv/inside") })
	u := e2e.NewUser(t)
	e2e.OnHost(t, "install", "-d", "-o", u.Name, "/srv/inside/"+u.Name)
	u.Configure(t, "enableuserconfig", "enableuserusercwd", "mounthome", "mounthomefrom = /srv/inside/%u")
	u.WriteFile(t, ".dockersh", "[dockersh]\nusercwd = /usr\n", 0o644)
	e2e.SSH(t, u, "pwd; printf '[dockersh]\nusercwd = /bin\n' >~/.dockersh").Want(t, u.Home+"\n", "", 0)
	e2e.SSH(t, u, "pwd; ln -sf /etc/shadow ~/.dockersh").Want(t, "/bin\n", "", 0)
	e2e.SSH(t, u, "pwd; rm ~/.dockersh").Ignored(t, "is a symbolic link")
	e2e.SSH(t, u, "pwd").Want(t, u.Home+"\n", "", 0)
	if e2e.Door != "direct" {
		e2e.OnHost(t, "sh", "-c", "printf '[dockersh]\nusercwd = /bin\n' >/srv/inside/"+u.Name+"/.dockersh; chown "+u.Name+" /srv/inside/"+u.Name+"/.dockersh")
		if out := e2e.OnHost(t, e2e.CtlPath, "explain", u.Name); !strings.Contains(out, "~/.dockersh:2") {
			t.Error(out)
		}
	}
}
