//go:build e2e

package settings

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestLaterSectionWins(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	u.Join(t, "dshgroup1")
	t.Cleanup(func() { _ = e2e.UnsetSection(`group "dshgroup1"`) })
	if err := e2e.SetSection(`group "dshgroup1"`, "usercwd = /tmp", "env = A=group", "mounthome"); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "pwd; echo $A; grep -c ' "+u.Home+" ' /proc/mounts").Want(t, "/tmp\ngroup\n1\n", "", 0)
	v := e2e.NewUser(t, "usercwd = /", "env = B=user", "mounthome = false")
	v.Join(t, "dshgroup1")
	// The user's list replaces that of the group, and the Boolean is off again.
	e2e.SSH(t, v, "pwd; echo $A$B; grep -c ' "+v.Home+" ' /proc/mounts").Want(t, "/\nuser\n0\n", "", 1)
}

func TestLimitsAndCapabilitiesReachTheContainer(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "memory = 64m", "cpus = 0.5", "pidslimit = 77", "capdrop = ALL", "capadd = CHOWN", "hostname = inner", "network = none",
		"env = ONE=1", "env = TWO=a b", "volume = /etc:/hostetc:ro")
	e2e.SSH(t, u, "hostname; echo $ONE $TWO; ls /sys/class/net 2>/dev/null | grep -c eth; test -e /hostetc/passwd && echo etc").
		Want(t, "inner\n1 a b\n0\netc\n", "", 0)
	for field, want := range map[string]string{
		"{{.HostConfig.Memory}}":      "67108864",
		"{{.HostConfig.ShmSize}}":     "33554432",
		"{{.HostConfig.NanoCpus}}":    "500000000",
		"{{.HostConfig.PidsLimit}}":   "77",
		"{{.HostConfig.CapDrop}}":     "[ALL]",
		"{{.HostConfig.CapAdd}}":      "[CHOWN]",
		"{{.HostConfig.NetworkMode}}": "none",
	} {
		if got := strings.ReplaceAll(e2e.Inspect(t, u.Container(t), field), "CAP_", ""); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
}

func TestPromptSaysWhichHostOneIsOn(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash")
	c := e2e.SSHConsole(t, u)
	c.Expect(u.Name + "@" + host + ":")
	e2e.SSH(t, u, "hostname; getent hosts $(hostname) >/dev/null && echo found").Want(t, host+"\nfound\n", "", 0)
	e2e.SSH(t, e2e.NewUser(t, "dockeropt = --uts=host"), "hostname").Want(t, host+"\n", "", 0)
}

func TestPrivilegesAreLimitedByDefault(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "containerusername = root")
	out := e2e.SSH(t, u, "grep -E 'NoNewPrivs|CapBnd' /proc/self/status; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null").Stdout
	if !strings.Contains(out, "NoNewPrivs:\t1") || !strings.Contains(out, "1024") {
		t.Errorf("%s", out)
	}
	v := e2e.NewUser(t, "nonewprivileges = false")
	e2e.SSH(t, v, "grep NoNewPrivs /proc/self/status").Want(t, "NoNewPrivs:\t0\n", "", 0)
}

func TestAcceptenvDecidesWhatPasses(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "acceptenv = NASTY_*")
	e2e.SSH(t, u, "-o", "SetEnv=NASTY_A=1 LC_TIME=de_DE", "--", "echo $NASTY_A-$LC_TIME").Want(t, "1-\n", "", 0)
}

func TestBannerOnlyAtInteractiveLogins(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, `banner = "Be welcome"`)
	e2e.SSH(t, u, "echo x").Want(t, "x\n", "", 0)
	e2e.SSH(t, u, "-tt", "--", "echo x").Want(t, "x\r\n", "", 0)
	c := e2e.SSHConsole(t, u)
	c.Expect("Be welcome")
	c.FirstPrompt()
}

func TestMissingImageIsRefused(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "imagename = dsh-nothing", "pull = never")
	e2e.SSH(t, u, "true").Refused(t, "dsh-nothing")
	// No registry can be reached: the login fails with one line.
	v := e2e.NewUser(t, "imagename = registry.invalid/dsh-nothing")
	e2e.SSH(t, v, "true").Refused(t, "dsh-nothing")
}

func TestHostshellIsAShellOnTheHost(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "hostshell = /bin/bash")
	e2e.SSH(t, u, "echo $BASH_VERSION | cut -c1; readlink /proc/self/exe >/dev/null; test -e /.dockersh || echo outside; exit 3").Want(t, "5\noutside\n", "", 3)
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if got := c.Run("echo $0 $SHELL; id -un"); !strings.HasPrefix(got, "-bash") || !strings.HasSuffix(got, u.Name) {
		t.Errorf("%q", got)
	}
	if ids := u.Containers(t); len(ids) != 0 {
		t.Errorf("containers: %q", ids)
	}
}

func TestSettingsAreReadAgainWithoutARestart(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "pwd").Want(t, u.Home+"\n", "", 0)
	for _, dir := range []string{"/tmp", "/etc", "/"} {
		u.Configure(t, "usercwd = "+dir)
		e2e.SSH(t, u, "pwd").Want(t, dir+"\n", "", 0)
	}
}

func TestUsersShareAContainer(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "a user's own broker shares no containers: TestDirectDoorContainersAreNotShared")
	// Sharing option 2: one container for all, with each user's own identity.
	a := e2e.NewUser(t, "containername = dsh-class", "imagename = dsh-debian", "shell = /bin/bash")
	b := e2e.NewUser(t, "containername = dsh-class", "imagename = dsh-debian", "shell = /bin/bash")
	c := e2e.SSHConsole(t, a)
	c.FirstPrompt()
	c.Line("exec sleep 3210")
	e2e.Eventually(t, "b sees the process of a", func() bool {
		return strings.Contains(e2e.SSH(t, b, "ps -eo user,args").Stdout, "sleep 3210")
	})
	r := e2e.SSH(t, b, "whoami; pkill -f 'sleep 321[0]'; echo $?")
	if !strings.HasPrefix(r.Stdout, b.Name+"\n") || !strings.HasSuffix(r.Stdout, "1\n") {
		t.Errorf("b killed the session of a: %q %q", r.Stdout, r.Stderr)
	}
	if x, y := e2e.SSH(t, a, e2e.ContainerID).Stdout, e2e.SSH(t, b, e2e.ContainerID).Stdout; x != y {
		t.Errorf("two containers: %s %s", x, y)
	}
}

func TestStateStaysInTheUsersContainer(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "echo kept >~/f").Want(t, "", "", 0)
	e2e.OnHost(t, "docker", "stop", "-t", "2", u.Container(t))
	e2e.SSH(t, u, "cat ~/f").Want(t, "kept\n", "", 0)
}

func TestBadSettingsStopTheLogin(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	for name, c := range map[string]struct{ text, where, hint string }{
		"unknown key":           {"[dockersh]\n\timagname = x\n", ":2:", "imagename"},
		"unknown section":       {"[dokersh]\n", ":1:", "dockersh"},
		"wrong type":            {"[dockersh]\n\n\tmounthome = perhaps\n", ":3:", "mounthome"},
		"unknown interpolation": {"[dockersh]\n\tusercwd = /home/%q\n", ":2:", "%q"},
		"syntax":                {"[dockersh]\n\timagename = \"x\n", ":2:", ""},
		"in another's section":  {"[user \"nobody\"]\n\tnonsense = 1\n", ":2:", "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			e2e.WithSettings(t, c.text)
			e2e.SSH(t, u, "true").Refused(t, e2e.Settings+c.where, c.hint)
		})
	}
}

func TestUnreadableSettingsStopTheLogin(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.WithSettings(t, "[dockersh]\n")
	if err := os.Remove(e2e.Settings); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(e2e.Settings, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(e2e.Settings) }) // before WithSettings writes it again
	e2e.SSH(t, u, "true").Refused(t, e2e.Settings)
}

func TestSettingsThatOthersCanWriteStopTheLogin(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	e2e.WithSettings(t, "[dockersh]\n")
	if err := os.Chmod(e2e.Settings, 0o666); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "true").Refused(t, e2e.Settings)
}

// What the administrator wants is not known then: that is no reason to want less.
func TestSettingsThatAreGoneStopTheLogin(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t)
	for what, c := range map[string]struct {
		spoil string
		words []string
	}{
		"gone":                      {`rm "$0"`, []string{"was there, and is gone", "[dockersh]"}},
		"a link that leads nowhere": {`ln -sfn /nowhere/dockershrc "$0"`, []string{"is a link that leads nowhere", "dockershctl check"}},
		"an empty file":             {`: >"$0"`, []string{":1:1: the file has no section", "[dockersh]"}},
		"nothing but comments":      {`echo "# memory = 1g" >"$0"`, []string{":1:1: the file has no section", "[dockersh]"}},
	} {
		t.Run(what, func(t *testing.T) {
			e2e.WithSettings(t, "[dockersh]\n\tcapdrop = ALL\n")
			e2e.SSH(t, u, "true").Want(t, "", "", 0)
			e2e.OnHost(t, "sh", "-c", c.spoil, e2e.Settings)
			t.Cleanup(func() { os.Remove(e2e.Settings) }) // before WithSettings writes it again
			e2e.SSH(t, u, "true").Refused(t, append(c.words, e2e.Settings)...)
			if e2e.Door == "service" {
				e2e.Broker.Restart(t, syscall.SIGTERM)
				e2e.SSH(t, u, "true").Refused(t, append(c.words, e2e.Settings)...)
			}
			if e2e.Door == "direct" {
				return // what a user's own broker saw, root's programs do not know
			}
			for _, args := range [][]string{{"check"}, {"explain", u.Name}, {"sshd-config", u.Name}} {
				if out, errs, status := e2e.Ctl(t, args...); status == 0 || !strings.Contains(out+errs, c.words[0]) {
					t.Errorf("dockershctl %s: %q %q, status %d", args[0], out, errs, status)
				}
			}
			if out, _, _ := e2e.Ctl(t, "doctor", "--no-login", u.Name); !strings.Contains(out, "error settings-file: every login is refused: "+e2e.Settings+c.words[0]) &&
				!strings.Contains(out, "error settings-file: every login is refused: "+e2e.Settings+": "+c.words[0]) {
				t.Errorf("the doctor: %q", out)
			}
		})
	}
}
