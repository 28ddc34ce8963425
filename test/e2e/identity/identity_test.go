//go:build e2e

package identity

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// whoScript prints everything that a shell user can ask about themselves.
const whoScript = `whoami; id -u; id -g; id -un; id -gn; id -G; id -Gn; echo ~; echo "$HOME"; echo "$USER"; echo "$LOGNAME"; pwd`

func TestUserHasTheSameIdentityInside(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for _, image := range []string{"dsh-busybox", "dsh-debian"} {
		t.Run(image, func(t *testing.T) {
			u := e2e.NewUser(t, "imagename = "+image, "shell = /bin/sh")
			u.Join(t, "dshteam")
			u.Join(t, "dshother")
			// On the host su sets the user's groups and nothing else.
			e2e.OnHost(t, "usermod", "-s", "/bin/bash", u.Name)
			host := e2e.OnHost(t, "su", "-", u.Name, "-c", whoScript)
			e2e.OnHost(t, "usermod", "-s", e2e.Front, u.Name)
			r := e2e.SSH(t, u, whoScript)
			if strings.TrimSpace(r.Stdout) != host || r.Stderr != "" {
				t.Errorf("inside:\n%s%s\non the host:\n%s", r.Stdout, r.Stderr, host)
			}
		})
	}
}

func TestSHELLIsTheShellInside(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "echo $SHELL").Want(t, "/bin/ash\n", "", 0)
	v := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash")
	e2e.SSH(t, v, "echo $SHELL; getent passwd "+v.Name+" | cut -d: -f7").Want(t, "/bin/bash\n/bin/bash\n", "", 0)
}

func TestOtherUsersOfTheHostDoNotShowInside(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash")
	other := e2e.NewAccount(t, "/bin/bash")
	out := e2e.SSH(t, u, "cat /etc/passwd /etc/group").Stdout
	if strings.Contains(out, other.Name+":") || !strings.Contains(out, u.Name+":") || !strings.Contains(out, "root:x:0:0") {
		t.Errorf("passwd and group inside:\n%s", out)
	}
	e2e.SSH(t, u, "id "+other.Name+" >/dev/null 2>&1 || echo unknown").Want(t, "unknown\n", "", 0)
	e2e.SSH(t, u, "ps -e | grep -c sshd").Want(t, "0\n", "", 1)
}

func TestFilesOfAMountedHomeBelongToTheUser(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for _, image := range []string{"dsh-busybox", "dsh-debian"} {
		t.Run(image, func(t *testing.T) {
			u := e2e.NewUser(t, "imagename = "+image, "shell = /bin/sh", "mounthome")
			u.WriteFile(t, "from-host", "hello\n", 0o640)
			e2e.SSH(t, u, "cat from-host && echo inside >from-inside && mkdir d").Want(t, "hello\n", "", 0)
			numbers := fmt.Sprintf("%d %d", u.UID, u.GID)
			if got := e2e.SSH(t, u, "stat -c '%u %g' . from-host from-inside d").Stdout; got != strings.Repeat(numbers+"\n", 4) {
				t.Errorf("owners inside %q, want %s", got, numbers)
			}
			if got := e2e.SSH(t, u, "ls -l from-host from-inside | awk '{print $3, $4}'").Stdout; got != strings.Repeat(u.Name+" "+u.Name+"\n", 2) {
				t.Errorf("ls -l: %q", got)
			}
			path := filepath.Join(u.Home, "from-inside")
			if got := e2e.OnHost(t, "stat", "-c", "%u %g", path); got != numbers {
				t.Errorf("owner on the host %q, want %s", got, numbers)
			}
			if data, err := os.ReadFile(path); string(data) != "inside\n" {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
}

func TestHomeThatIsNotMountedIsCreatedForTheUser(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for _, image := range []string{"dsh-busybox", "dsh-debian"} {
		t.Run(image, func(t *testing.T) {
			u := e2e.NewUser(t, "imagename = "+image, "shell = /bin/sh")
			u.WriteFile(t, "secret", "of the host\n", 0o644)
			begins := "/etc/skel"
			if e2e.Door == "direct" { // only root copies the skeleton of the image
				begins = "/none"
			}
			e2e.SSH(t, u, `pwd; [ "$(ls -A)" = "$(ls -A `+begins+` 2>/dev/null)" ] && echo as expected; echo x >f && cat f; stat -c %U:%G .`).
				Want(t, u.Home+"\nas expected\nx\n"+u.Name+":"+u.Name+"\n", "", 0)
		})
	}
}

func TestNumericContainerUser(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "containerusername = 4711:4712")
	if got := e2e.SSH(t, u, "id -u; id -g; id -G").Stdout; got != "4711\n4712\n4712\n" {
		t.Errorf("%q", got)
	}
	v := e2e.NewUser(t, "containerusername = 4713", "imagename = dsh-debian", "shell = /bin/bash")
	if got := e2e.SSH(t, v, "id -u; touch ~/f && stat -c %u ~/f").Stdout; got != "4713\n4713\n" {
		t.Errorf("%q", got)
	}
	// The user's own numbers, by interpolation.
	w := e2e.NewUser(t, "containerusername = %U:%G")
	if got := e2e.SSH(t, w, "id -u; id -g; whoami").Stdout; got != fmt.Sprintf("%d\n%d\n%s\n", w.UID, w.GID, w.Name) {
		t.Errorf("%q", got)
	}
}

func TestRootAsContainerUser(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for _, who := range []string{"root", "0", "0:0"} {
		t.Run(who, func(t *testing.T) {
			u := e2e.NewUser(t, "containerusername = "+who)
			e2e.SSH(t, u, "whoami; id -u; id -g").Want(t, "root\n0\n0\n", "", 0)
		})
	}
}

func TestContainerUserOfTheImage(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "containerusername = games", "imagename = dsh-debian", "shell = /bin/bash")
	e2e.SSH(t, u, "id -un; id -u; id -gn").Want(t, "games\n5\ngames\n", "", 0)
	v := e2e.NewUser(t, "containerusername = nosuchuser")
	e2e.SSH(t, v, "true").Refused(t, "nosuchuser")
}

func TestRootLogsIn(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	// root keeps its shell; a key with command= runs dockersh.
	root := &e2e.Account{Name: "root", Home: "/root", Shell: e2e.Front}
	key, err := os.ReadFile(e2e.Scratch + "/key.pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := root.Authorize(`command="` + e2e.Front + `" ` + string(key)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(e2e.Scratch + "/keys/root")
		for _, id := range root.Containers(t) {
			e2e.OnHost(t, "docker", "rm", "-f", id)
		}
	})
	e2e.SSH(t, root, "whoami; id -u; echo $HOME; test -e /.dockersh && echo inside").Want(t, "root\n0\n/root\ninside\n", "", 0)
}

// PAM asks whether an account may be used: su, sudo and cron refuse a locked one.
func TestUsersAccountInsideIsNotLocked(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash", "nonewprivileges = false", "capdrop = MKNOD")
	e2e.SSH(t, u, "getent passwd "+u.Name+" | cut -d: -f2").Want(t, "*\n", "", 0)
	if out := e2e.OnHost(t, "docker", "exec", "-u", "0", u.Container(t), "su", u.Name, "-c", "id -un"); out != u.Name {
		t.Errorf("su: %q", out)
	}
	// No password opens it.
	r := e2e.SSHInput(t, u, strings.NewReader("\n"), "su "+u.Name+" -c id")
	if r.Status == 0 || r.Stdout != "" {
		t.Errorf("su without a password: %+v", r)
	}
}
