//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"
)

func TestLaterSectionWins(t *testing.T) {
	u := newBoxed(t)
	u.join(t, "dshgroup1")
	t.Cleanup(func() { _ = unset(`group "dshgroup1"`) })
	if err := setSection(`group "dshgroup1"`, "usercwd = /tmp", "env = A=group", "mounthome"); err != nil {
		t.Fatal(err)
	}
	ssh(t, u, "pwd; echo $A; grep -c ' "+u.home+" ' /proc/mounts").want(t, "/tmp\ngroup\n1\n", "", 0)
	v := newBoxed(t, "usercwd = /", "env = B=user", "mounthome = false")
	v.join(t, "dshgroup1")
	// The user's array replaces the group's; the Boolean is off again.
	ssh(t, v, "pwd; echo $A$B; grep -c ' "+v.home+" ' /proc/mounts").want(t, "/\nuser\n0\n", "", 1)
}

func TestLimitsAndCapabilitiesReachTheContainer(t *testing.T) {
	u := newBoxed(t, "memory = 64m", "cpus = 0.5", "pidslimit = 77", "capdrop = ALL", "capadd = CHOWN", "hostname = inner", "network = none",
		"env = ONE=1", "env = TWO=a b", "volume = /etc:/hostetc:ro")
	ssh(t, u, "hostname; echo $ONE $TWO; ls /sys/class/net 2>/dev/null | grep -c eth; test -e /hostetc/passwd && echo etc").
		want(t, "inner\n1 a b\n0\netc\n", "", 0)
	for field, want := range map[string]string{
		"{{.HostConfig.Memory}}":      "67108864",
		"{{.HostConfig.NanoCpus}}":    "500000000",
		"{{.HostConfig.PidsLimit}}":   "77",
		"{{.HostConfig.CapDrop}}":     "[ALL]",
		"{{.HostConfig.CapAdd}}":      "[CHOWN]",
		"{{.HostConfig.NetworkMode}}": "none",
	} {
		if got := strings.ReplaceAll(inspect(t, u.container(t), field), "CAP_", ""); got != want {
			t.Errorf("%s is %s, want %s", field, got, want)
		}
	}
}

func TestDefaultsOfPrivilege(t *testing.T) {
	u := newBoxed(t, "containerusername = root")
	out := ssh(t, u, "grep -E 'NoNewPrivs|CapBnd' /proc/self/status; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null").stdout
	if !strings.Contains(out, "NoNewPrivs:\t1") || !strings.Contains(out, "1024") {
		t.Errorf("%s", out)
	}
	v := newBoxed(t, "nonewprivileges = false")
	ssh(t, v, "grep NoNewPrivs /proc/self/status").want(t, "NoNewPrivs:\t0\n", "", 0)
}

func TestAcceptenvSaysWhatPasses(t *testing.T) {
	u := newBoxed(t, "acceptenv = NASTY_*")
	ssh(t, u, "-o", "SetEnv=NASTY_A=1 LC_TIME=de_DE", "--", "echo $NASTY_A-$LC_TIME").want(t, "1-\n", "", 0)
}

func TestBannerOnlyAtInteractiveLogins(t *testing.T) {
	u := newBoxed(t, `banner = "Be welcome"`)
	ssh(t, u, "echo x").want(t, "x\n", "", 0)
	ssh(t, u, "-tt", "--", "echo x").want(t, "x\r\n", "", 0)
	c := sshConsole(t, u)
	c.expect("Be welcome")
	c.login()
}

func TestPullNeverAndMissingImage(t *testing.T) {
	u := newBoxed(t, "imagename = dsh-nothing", "pull = never")
	ssh(t, u, "true").refused(t, "dsh-nothing")
	// Nothing is reachable from here: it has to fail, in one line.
	v := newBoxed(t, "imagename = registry.invalid/dsh-nothing")
	ssh(t, v, "true").refused(t, "dsh-nothing")
}

func TestHostshellIsAShellOnTheHost(t *testing.T) {
	u := newBoxed(t, "hostshell = /bin/bash")
	ssh(t, u, "echo $BASH_VERSION | cut -c1; readlink /proc/self/exe >/dev/null; cat /proc/sys/kernel/hostname; exit 3").want(t, "5\napart\n", "", 3)
	c := sshConsole(t, u)
	c.login()
	if got := c.run("echo $0 $SHELL; id -un"); !strings.HasPrefix(got, "-bash") || !strings.HasSuffix(got, u.name) {
		t.Errorf("%q", got)
	}
	if ids := u.containers(t); len(ids) != 0 {
		t.Errorf("containers: %q", ids)
	}
}

func TestSettingsAreReadAgainWithoutARestart(t *testing.T) {
	u := newBoxed(t)
	ssh(t, u, "pwd").want(t, u.home+"\n", "", 0)
	for _, dir := range []string{"/tmp", "/etc", "/"} {
		u.reset(t, "usercwd = "+dir)
		ssh(t, u, "pwd").want(t, dir+"\n", "", 0)
	}
}

func TestSharedContainer(t *testing.T) {
	privileged(t, "several users in one container: TestWithoutTheServiceAContainerIsItsMakersAlone")
	// Trainer's option 2: one container for all, each as himself.
	a := newBoxed(t, "containername = dsh-class", "imagename = dsh-debian", "shell = /bin/bash")
	b := newBoxed(t, "containername = dsh-class", "imagename = dsh-debian", "shell = /bin/bash")
	c := sshConsole(t, a)
	c.login()
	c.line("exec sleep 3210")
	eventually(t, "b sees the process of a", func() bool {
		return strings.Contains(ssh(t, b, "ps -eo user,args").stdout, "sleep 3210")
	})
	r := ssh(t, b, "whoami; pkill -f 'sleep 321[0]'; echo $?")
	if !strings.HasPrefix(r.stdout, b.name+"\n") || !strings.HasSuffix(r.stdout, "1\n") {
		t.Errorf("b killed the session of a: %q %q", r.stdout, r.stderr)
	}
	if x, y := ssh(t, a, "hostname").stdout, ssh(t, b, "hostname").stdout; x != y {
		t.Errorf("two containers: %s %s", x, y)
	}
}

func TestStateStaysInTheUsersContainer(t *testing.T) {
	u := newBoxed(t)
	ssh(t, u, "echo kept >~/f").want(t, "", "", 0)
	run(t, "docker", "stop", "-t", "2", u.container(t))
	ssh(t, u, "cat ~/f").want(t, "kept\n", "", 0)
}

func TestBadSettingsStopTheLogin(t *testing.T) {
	u := newBoxed(t)
	for name, c := range map[string]struct{ text, where, hint string }{
		"unknown key":           {"[dockersh]\n\timagname = x\n", ":2:", "imagename"},
		"unknown section":       {"[dokersh]\n", ":1:", "dockersh"},
		"wrong type":            {"[dockersh]\n\n\tmounthome = perhaps\n", ":3:", "mounthome"},
		"unknown interpolation": {"[dockersh]\n\tusercwd = /home/%q\n", ":2:", "%q"},
		"syntax":                {"[dockersh]\n\timagename = \"x\n", ":2:", ""},
		"in another's section":  {"[user \"nobody\"]\n\tnonsense = 1\n", ":2:", "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			withSettings(t, c.text)
			ssh(t, u, "true").refused(t, settings+c.where, c.hint)
		})
	}
}

func TestUnreadableSettingsStopTheLogin(t *testing.T) {
	u := newBoxed(t)
	withSettings(t, "")
	if err := os.Remove(settings); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(settings, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(settings) }) // before withSettings writes it anew
	ssh(t, u, "true").refused(t, settings)
}

func TestSettingsThatOthersCanWriteStopTheLogin(t *testing.T) {
	u := newBoxed(t)
	withSettings(t, "[dockersh]\n")
	if err := os.Chmod(settings, 0o666); err != nil {
		t.Fatal(err)
	}
	ssh(t, u, "true").refused(t, settings)
}
