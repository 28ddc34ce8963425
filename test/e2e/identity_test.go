//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// whoScript says everything by which a shell user knows himself.
const whoScript = `whoami; id -u; id -g; id -un; id -gn; id -G; id -Gn; echo ~; echo "$HOME"; echo "$USER"; echo "$LOGNAME"; pwd`

func TestUserIsHimselfInside(t *testing.T) {
	for _, image := range []string{"dsh-busybox", "dsh-debian"} {
		t.Run(image, func(t *testing.T) {
			u := newBoxed(t, "imagename = "+image, "shell = /bin/sh")
			u.join(t, "dshteam")
			u.join(t, "dshother")
			// The same on the host: su gives the user's groups and nothing else.
			run(t, "usermod", "-s", "/bin/bash", u.name)
			host := run(t, "su", "-", u.name, "-c", whoScript)
			run(t, "usermod", "-s", front, u.name)
			r := ssh(t, u, whoScript)
			if strings.TrimSpace(r.stdout) != host || r.stderr != "" {
				t.Errorf("inside:\n%s%s\non the host:\n%s", r.stdout, r.stderr, host)
			}
		})
	}
}

func TestSHELLIsTheShellInside(t *testing.T) {
	u := newBoxed(t)
	ssh(t, u, "echo $SHELL").want(t, "/bin/ash\n", "", 0)
	v := newBoxed(t, "imagename = dsh-debian", "shell = /bin/bash")
	ssh(t, v, "echo $SHELL; getent passwd "+v.name+" | cut -d: -f7").want(t, "/bin/bash\n/bin/bash\n", "", 0)
}

func TestOtherUsersOfTheHostDoNotShowInside(t *testing.T) {
	u := newBoxed(t, "imagename = dsh-debian", "shell = /bin/bash")
	other := newUser(t, "/bin/bash")
	out := ssh(t, u, "cat /etc/passwd /etc/group").stdout
	if strings.Contains(out, other.name+":") || !strings.Contains(out, u.name+":") || !strings.Contains(out, "root:x:0:0") {
		t.Errorf("passwd and group inside:\n%s", out)
	}
	ssh(t, u, "id "+other.name+" >/dev/null 2>&1 || echo unknown").want(t, "unknown\n", "", 0)
	ssh(t, u, "ps -e | grep -c sshd").want(t, "0\n", "", 1)
}

func TestFilesOfAMountedHomeAreTheUsers(t *testing.T) {
	for _, image := range []string{"dsh-busybox", "dsh-debian"} {
		t.Run(image, func(t *testing.T) {
			u := newBoxed(t, "imagename = "+image, "shell = /bin/sh", "mounthome")
			u.file(t, "from-host", "hello\n", 0o640)
			ssh(t, u, "cat from-host && echo inside >from-inside && mkdir d").want(t, "hello\n", "", 0)
			numbers := fmt.Sprintf("%d %d", u.uid, u.gid)
			if got := ssh(t, u, "stat -c '%u %g' . from-host from-inside d").stdout; got != strings.Repeat(numbers+"\n", 4) {
				t.Errorf("owners inside %q, want %s", got, numbers)
			}
			if got := ssh(t, u, "ls -l from-host from-inside | awk '{print $3, $4}'").stdout; got != strings.Repeat(u.name+" "+u.name+"\n", 2) {
				t.Errorf("ls -l: %q", got)
			}
			path := filepath.Join(u.home, "from-inside")
			if got := run(t, "stat", "-c", "%u %g", path); got != numbers {
				t.Errorf("owner on the host %q, want %s", got, numbers)
			}
			if data, err := os.ReadFile(path); string(data) != "inside\n" {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
}

func TestHomeThatIsNotMountedIsMadeAndTheUsers(t *testing.T) {
	for _, image := range []string{"dsh-busybox", "dsh-debian"} {
		t.Run(image, func(t *testing.T) {
			u := newBoxed(t, "imagename = "+image, "shell = /bin/sh")
			u.file(t, "secret", "of the host\n", 0o644)
			ssh(t, u, "pwd; ls -A; echo x >f && cat f; stat -c '%U:%G' .").want(t, u.home+"\nx\n"+u.name+":"+u.name+"\n", "", 0)
		})
	}
}

func TestNumericContainerUser(t *testing.T) {
	u := newBoxed(t, "containerusername = 4711:4712")
	if got := ssh(t, u, "id -u; id -g; id -G").stdout; got != "4711\n4712\n4712\n" {
		t.Errorf("%q", got)
	}
	v := newBoxed(t, "containerusername = 4713", "imagename = dsh-debian", "shell = /bin/bash")
	if got := ssh(t, v, "id -u; touch ~/f && stat -c %u ~/f").stdout; got != "4713\n4713\n" {
		t.Errorf("%q", got)
	}
	// The numbers of the user himself by their sequences.
	w := newBoxed(t, "containerusername = %U:%G")
	if got := ssh(t, w, "id -u; id -g; whoami").stdout; got != fmt.Sprintf("%d\n%d\n%s\n", w.uid, w.gid, w.name) {
		t.Errorf("%q", got)
	}
}

func TestRootAsContainerUser(t *testing.T) {
	for _, who := range []string{"root", "0", "0:0"} {
		t.Run(who, func(t *testing.T) {
			u := newBoxed(t, "containerusername = "+who)
			ssh(t, u, "whoami; id -u; id -g").want(t, "root\n0\n0\n", "", 0)
		})
	}
}

func TestContainerUserOfTheImage(t *testing.T) {
	u := newBoxed(t, "containerusername = games", "imagename = dsh-debian", "shell = /bin/bash")
	ssh(t, u, "id -un; id -u; id -gn").want(t, "games\n5\ngames\n", "", 0)
	v := newBoxed(t, "containerusername = nosuchuser")
	ssh(t, v, "true").refused(t, "nosuchuser")
}

func TestRootLogsIn(t *testing.T) {
	// root's own shell stays; a key with a command= gives him dockersh.
	root := &account{name: "root", home: "/root", shell: front}
	key, err := os.ReadFile(scratch + "/key.pub")
	if err != nil {
		t.Fatal(err)
	}
	if err := root.authorize(`command="` + front + `" ` + string(key)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(scratch + "/keys/root")
		for _, id := range root.containers(t) {
			run(t, "docker", "rm", "-f", id)
		}
	})
	ssh(t, root, "whoami; id -u; echo $HOME; hostname | wc -c").want(t, "root\n0\n/root\n13\n", "", 0)
}
