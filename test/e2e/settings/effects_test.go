//go:build e2e

package settings

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// effect is a setting and how it shows. Each is tried three times: set by the administrator,
// set by the user through an open gate, and set by the user at a closed gate.
type effect struct {
	key, line string   // the setting, and a line that sets it
	base      []string // other settings that it needs
	prepare   func(t *testing.T, u *e2e.Account)
	check     func(t *testing.T, u *e2e.Account)
}

// shows checks the output of a command inside.
func shows(command, want string) func(t *testing.T, u *e2e.Account) {
	return func(t *testing.T, u *e2e.Account) {
		t.Helper()
		of := strings.NewReplacer("USER", u.Name, "~HOME", u.Home)
		e2e.SSH(t, u, of.Replace(command)).Want(t, of.Replace(want), "", 0)
	}
}

var effects = []effect{
	{key: "imagename", line: "imagename = dsh-debian", base: []string{"shell = /bin/sh"},
		check: shows(". /etc/os-release; echo $ID", "debian\n")},
	{key: "containername", line: "containername = other-%u",
		check: func(t *testing.T, u *e2e.Account) {
			e2e.SSH(t, u, "true").Want(t, "", "", 0)
			// A name that the user chose differs from any that the administrator chooses.
			if got := e2e.Inspect(t, u.Container(t), "{{.Name}}"); got != "/other-"+u.Name && got != fmt.Sprintf("/u%d_.other-%s", u.UID, u.Name) {
				t.Errorf("the container is %s", got)
			}
		}},
	{key: "mounthome", line: "mounthome",
		prepare: func(t *testing.T, u *e2e.Account) { u.WriteFile(t, "mark", "x\n", 0o644) },
		check:   shows("cat ~/mark; pwd", "x\n~HOME\n")},
	{key: "mounthomefrom", line: "mounthomefrom = /srv/homes/%u", base: []string{"mounthome"},
		prepare: func(t *testing.T, u *e2e.Account) {
			e2e.OnHost(t, "install", "-d", "-o", u.Name, "-g", u.Name, "/srv/homes/"+u.Name)
			e2e.OnHost(t, "sh", "-c", "echo y >/srv/homes/"+u.Name+"/mark")
		},
		check: shows("ls -A; cat ~/mark; pwd", "mark\ny\n~HOME\n")},
	{key: "mounthometo", line: "mounthometo = /home/%u", base: []string{"mounthome"},
		prepare: func(t *testing.T, u *e2e.Account) { u.WriteFile(t, "mark", "z\n", 0o644) },
		check:   shows("cat /home/USER/mark; echo $HOME", "z\n/home/USER\n")},
	{key: "mounttmp", line: "mounttmp",
		prepare: func(t *testing.T, u *e2e.Account) {
			if err := os.WriteFile("/tmp/dsh-mark-"+u.Name, []byte("tmp\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Remove("/tmp/dsh-mark-" + u.Name) })
		},
		check: shows("cat /tmp/dsh-mark-USER", "tmp\n")},
	{key: "usercwd", line: "usercwd = /tmp", check: shows("pwd; echo $HOME", "/tmp\n~HOME\n")},
	{key: "containerusername", line: "containerusername = 4242", check: shows("id -u", "4242\n")},
	{key: "shell", line: "shell = /bin/bash", base: []string{"imagename = dsh-debian"},
		check: shows("echo $0 ${BASH_VERSION%%.*} $SHELL", "bash 5 /bin/bash\n")},
	{key: "mountdockersocket", line: "mountdockersocket",
		check: shows("test -S /var/run/docker.sock && echo there", "there\n")},
	{key: "dockersocket", line: "dockersocket = /run/other.sock", base: []string{"mountdockersocket"},
		prepare: func(t *testing.T, u *e2e.Account) {
			_ = os.Remove("/run/other.sock")
			if err := os.Link("/run/docker.sock", "/run/other.sock"); err != nil {
				t.Fatal(err)
			}
		},
		check: func(t *testing.T, u *e2e.Account) {
			e2e.SSH(t, u, "true").Want(t, "", "", 0)
			if got := e2e.Inspect(t, u.Container(t), "{{range .Mounts}}{{.Source}} {{end}}"); !strings.Contains(got, "/run/other.sock") {
				t.Errorf("mounts: %s", got)
			}
		}},
	{key: "entrypoint", line: "entrypoint = /bin/cat", base: []string{"dockeropt = -i"},
		check: process1("/bin/cat")},
	{key: "cmd", line: "cmd = 4321", base: []string{"entrypoint = /bin/sleep"},
		check: process1("/bin/sleep 4321")},
	{key: "dockeropt", line: "dockeropt = -v '/etc/passwd:/mnt/a b:ro'",
		check: shows("grep -c ^root: '/mnt/a b'; touch '/mnt/a b' 2>/dev/null || echo ro", "1\nro\n")},
}

// process1 checks the command line of process 1, and that sessions work beside it.
func process1(want string) func(t *testing.T, u *e2e.Account) {
	return func(t *testing.T, u *e2e.Account) {
		t.Helper()
		e2e.SSH(t, u, "tr '\\0' ' ' </proc/1/cmdline; echo; exit 8").Want(t, want+" \n", "", 8)
		e2e.SSH(t, u, "-tt", "--", "tty >/dev/null && echo yes").Want(t, "yes\r\n", "", 0)
	}
}

func TestSettingShowsItsEffect(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for _, e := range effects {
		t.Run(e.key, func(t *testing.T) {
			u := e2e.NewUser(t, append(e.base, e.line)...)
			e.run(t, u)
		})
	}
}

func (e effect) run(t *testing.T, u *e2e.Account) {
	if e.prepare != nil {
		e.prepare(t, u)
	}
	e.check(t, u)
}

func TestOpenGateLetsTheUserSetIt(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for _, e := range effects {
		t.Run(e.key, func(t *testing.T) {
			u := e2e.NewUser(t, append(e.base, "enableuserconfig", "enableuser"+e.key)...)
			u.WriteFile(t, ".dockersh", "[dockersh]\n"+e.line+"\n", 0o644)
			e.run(t, u)
		})
	}
}

func TestClosedGateKeepsTheUsersFileOut(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	for _, e := range effects {
		t.Run(e.key, func(t *testing.T) {
			u := e2e.NewUser(t, append(e.base, "enableuserconfig")...)
			u.WriteFile(t, ".dockersh", "[dockersh]\n"+e.line+"\n", 0o644)
			if e.key != "shell" && e.key != "cmd" { // without them, the rest of the settings does not work
				e2e.SSH(t, u, "true").Ignored(t, "enableuser"+e.key, ".dockersh:2")
			}
			out := e2e.OnHost(t, e2e.CtlPath, "explain", u.Name)
			if !strings.Contains(out, "~/.dockersh is ignored: ~/.dockersh:2") || strings.Contains(out, "  ~/.dockersh:2") {
				t.Error(out)
			}
		})
	}
}

func TestUsersFileIsNotReadWithoutEnableuserconfig(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "enableuserusercwd")
	u.WriteFile(t, ".dockersh", "[dockersh]\nusercwd = /tmp\nnonsense = 1\n", 0o644)
	e2e.SSH(t, u, "pwd").Want(t, u.Home+"\n", "", 0)
}

func TestUsersFileOpensNoGate(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "enableuserconfig")
	for _, line := range []string{"enableuserimagename", "enableuserconfig", "hostshell = /bin/sh", "memory = 10g", `[user "root"]`} {
		u.WriteFile(t, ".dockersh", "[dockersh]\n"+line+"\n", 0o644)
		e2e.SSH(t, u, "true").Ignored(t, ".dockersh:2")
	}
}

func TestUsersFileThatIsALinkIsNotFollowed(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "enableuserconfig", "enableuserusercwd")
	if err := os.Symlink("/etc/shadow", u.Home+"/.dockersh"); err != nil {
		t.Fatal(err)
	}
	r := e2e.SSH(t, u, "true")
	r.Ignored(t, "is a symbolic link")
	if strings.Contains(r.Stderr, "root:") {
		t.Errorf("it shows the file: %q", r.Stderr)
	}
}

func TestDefaultsApplyWithoutASettingsFile(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	if err := os.Rename(e2e.Settings, e2e.Settings+".off"); err != nil {
		t.Fatal(err)
	}
	defer os.Rename(e2e.Settings+".off", e2e.Settings)
	e2e.OnHost(t, "sh", "-c", "rm -f "+e2e.RunDir+"/seen/settings-*") // as after a start of the host
	if e2e.Door == "service" {
		e2e.Broker.Restart(t, syscall.SIGTERM)
	}
	e2e.SSH(t, u, "echo $SHELL; pwd").Want(t, "/bin/ash\n"+u.Home+"\n", "", 0)
	if got := e2e.Inspect(t, u.Container(t), "{{.Name}} {{.Config.Image}}"); got != "/"+u.Name+"_dockersh busybox" {
		t.Errorf("%s", got)
	}
	// The file with the older name is read if the newer one is missing.
	if err := os.WriteFile("/etc/dockersh", []byte("[dockersh]\nusercwd = /tmp\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove("/etc/dockersh")
	e2e.SSH(t, u, "pwd").Want(t, "/tmp\n", "", 0)
}
