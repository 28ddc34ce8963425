//go:build e2e

package engines

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// newPodmanUser adds a user whose containers are in Podman.
func newPodmanUser(t *testing.T, lines ...string) *e2e.Account {
	t.Helper()
	u := e2e.NewUser(t, append([]string{e2e.InPodman, "imagename = dsh-debian", "shell = /bin/bash"}, lines...)...)
	t.Cleanup(func() {
		for _, id := range containersInPodman(t, u) {
			e2e.Eventually(t, "podman removes "+id, func() bool { return podmanRemoves(id) })
		}
	})
	return u
}

// podman runs podman with root's engine, which must succeed.
func podman(t testing.TB, args ...string) string {
	t.Helper()
	return e2e.OnHost(t, append([]string{"podman", "--url", "unix://" + e2e.PodmanSocket}, args...)...)
}

// podmanRemoves reports whether a container was removed. With its own user namespace a
// mount of it may be busy for a while.
func podmanRemoves(id string) bool {
	return e2e.TryPodman("rm", "-f", "-i", "-t", "0", id) == nil
}

// containersInPodman returns the ids of the containers that logins of the account made.
func containersInPodman(t testing.TB, a *e2e.Account) []string {
	t.Helper()
	return strings.Fields(podman(t, "ps", "-aq", "--no-trunc", "--filter", "label=dockersh.user="+a.Name))
}

func TestPodmanRunsSessions(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t)
	u.Join(t, "dshteam")
	e2e.SSH(t, u, "whoami; id -u; id -g; id -Gn; pwd; stat -c '%u %a' ~ /etc/passwd; cat /proc/1/comm").
		Want(t, fmt.Sprintf("%s\n%d\n%d\n%s dshteam\n%s\n%d 755\n0 644\ndockersh-init\n", u.Name, u.UID, u.GID, u.Name, u.Home, u.UID), "", 0)
	e2e.OnHost(t, "gpasswd", "-d", u.Name, "dshteam")
	e2e.SSH(t, u, "id -Gn; grep ^dshteam: /etc/group | cut -d: -f4").Want(t, u.Name+"\n\n", "", 0)
	e2e.SSH(t, u, "echo out; echo err >&2; exit 7").Want(t, "out\n", "err\n", 7)
	data := strings.Repeat("\x00\r\n\xff0123456789", 100_000)
	if r := e2e.SSHInput(t, u, strings.NewReader(data), "cat"); r.Stdout != data || r.Status != 0 {
		t.Errorf("%d bytes came back of %d, status %d, %s", len(r.Stdout), len(data), r.Status, r.Stderr)
	}
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if got := c.Run("tty"); got != "/dev/pts/0" {
		t.Errorf("tty: %q", got)
	}
	c.Line("exit 9")
	if status := c.Wait(); status != 9 {
		t.Errorf("status %d", status)
	}
}

func TestHintsNamePodman(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t, "imagename = dsh-none", "pull = never")
	e2e.SSH(t, u, "true").Refused(t, "run: podman pull dsh-none")
}

func TestPodmanContainersAreStoppedPausedAndRemoved(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t)
	e2e.SSH(t, u, "echo kept >~/f").Want(t, "", "", 0)
	id := containersInPodman(t, u)[0]
	podman(t, "stop", "-t", "2", id)
	e2e.SSH(t, u, "cat ~/f").Want(t, "kept\n", "", 0)
	podman(t, "pause", id)
	e2e.SSH(t, u, "true").Refused(t, "paused")
	podman(t, "unpause", id)
	e2e.SSH(t, u, "cat ~/f").Want(t, "kept\n", "", 0)
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	podman(t, "rm", "-f", "-t", "0", id)
	c.Expect("the container was ") // stopped or removed: Podman does both
	c.Wait()
	e2e.SSH(t, u, "test -e ~/f; echo $?").Want(t, "1\n", e2e.NewContainer, 0)
	if now := containersInPodman(t, u); len(now) != 1 || now[0] == id {
		t.Errorf("containers %q, the removed one was %s", now, id)
	}
}

func TestPodmanSharedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	a := newPodmanUser(t, "containername = dsh-podclass")
	b := newPodmanUser(t, "containername = dsh-podclass")
	e2e.SSH(t, a, "whoami; umask 022; echo a >/tmp/of-a").Want(t, a.Name+"\n", "", 0)
	r := e2e.SSH(t, b, "whoami; id -u; stat -c %U /tmp/of-a; echo b >>/tmp/of-a")
	if want := fmt.Sprintf("%s\n%d\n%s\n", b.Name, b.UID, a.Name); r.Stdout != want || r.Status == 0 {
		t.Errorf("%q, status %d; want %q and no right to write: %s", r.Stdout, r.Status, want, r.Stderr)
	}
}

func TestPodmanSettingsReachTheContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t, "mounthome", "memory = 64m", "pidslimit = 77", "capdrop = ALL", "hostname = inner", "env = TWO=a b", "volume = /etc:/hostetc:ro",
		"dockeropt = --tz=Asia/Tokyo") // docker has no such option
	e2e.SSH(t, u, "hostname; echo $TWO; date +%Z; test -e /hostetc/passwd && echo etc; grep -E 'NoNewPrivs|CapBnd' /proc/self/status; echo x >~/f; stat -c %u ~/f").
		Want(t, fmt.Sprintf("inner\na b\nJST\netc\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n%d\n", u.UID), "", 0)
	if got, want := owner(t, u.Home+"/f"), fmt.Sprintf("%d %d 644", u.UID, u.GID); got != want {
		t.Errorf("the file is %s on the host, want %s", got, want)
	}
	id := containersInPodman(t, u)[0]
	for field, want := range map[string]string{
		"{{.HostConfig.Memory}}":                             "67108864",
		"{{.HostConfig.PidsLimit}}":                          "77",
		"{{.HostConfig.LogConfig.Type}}":                     "none",
		`{{index .Config.Labels "dockersh.user"}}`:           u.Name,
		`{{index .Config.Labels "dockersh.uid"}}`:            strconv.Itoa(u.UID),
		`{{index .Config.Labels "dockersh.home"}}`:           "",
		`{{len (index .Config.Labels "dockersh.settings")}}`: "64",
	} {
		if got := podman(t, "inspect", "-f", field, id); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

func TestPodmanContainerWithItsOwnEntrypoint(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t, "entrypoint = /bin/sleep", "cmd = 32400", "pidslimit = 0")
	e2e.SSH(t, u, "whoami; cat /proc/1/comm").Want(t, u.Name+"\nsleep\n", "", 0)
	id := containersInPodman(t, u)[0]
	if got := podman(t, "inspect", "-f", "{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Size}} {{.HostConfig.PidsLimit}}", id); got != "k8s-file 10MB -1" && got != "k8s-file 10MB 0" {
		t.Errorf("log and limit: %q", got)
	}
}

func TestPodmanRefusalsLeaveNoContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	for name, c := range map[string]struct {
		lines []string
		told  string
	}{
		"no such option":      {[]string{"dockeropt = --no-such-option"}, "option"},
		"swallows a word":     {[]string{"dockeropt = --annotation"}, "option"},
		"makes nothing":       {[]string{"dockeropt = --help"}, "option"},
		"no such image":       {[]string{"imagename = dsh-nothing", "pull = never"}, "dsh-nothing"},
		"an image not pulled": {[]string{"imagename = registry.invalid/dsh-nothing"}, "dsh-nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			u := newPodmanUser(t, c.lines...)
			e2e.SSH(t, u, "true").Refused(t, c.told)
			if ids := containersInPodman(t, u); len(ids) != 0 {
				t.Errorf("left: %q", ids)
			}
		})
	}
	t.Run("foreign container", func(t *testing.T) {
		u := newPodmanUser(t)
		podman(t, "create", "--name", u.Name+"_dockersh", "dsh-busybox", "/bin/true")
		t.Cleanup(func() { podman(t, "rm", "-f", u.Name+"_dockersh") })
		e2e.SSH(t, u, "true").Refused(t, "dockersh did not make")
	})
}

func TestPodmanUserNamespaceOfOneContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	// The kernel shows the agent's uid, whoever made the user namespace.
	u := newPodmanUser(t, "dockeropt = --uidmap=0:300000:65536", "dockeropt = --gidmap=0:300000:65536")
	e2e.SSH(t, u, "whoami; tr -s ' ' </proc/self/uid_map; stat -c %u ~").Want(t, fmt.Sprintf("%s\n 0 300000 65536\n%d\n", u.Name, u.UID), "", 0)
	v := newPodmanUser(t, "mounthome", "dockeropt = --uidmap=0:300000:65536", "dockeropt = --gidmap=0:300000:65536")
	e2e.SSH(t, v, "true").Refused(t, "its home was mounted for")
	if ids := containersInPodman(t, v); len(ids) != 0 {
		t.Errorf("left: %q", ids)
	}
}

func TestPodmanAdoptsAContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t)
	name := "hand-" + u.Name
	if err := u.Set(e2e.InPodman, "containername = "+name, "adopt", "usercwd = /tmp"); err != nil {
		t.Fatal(err)
	}
	podman(t, "create", "--name", name, "dsh-busybox", "sleep", "infinity")
	t.Cleanup(func() { e2e.Eventually(t, "podman removes it", func() bool { return podmanRemoves(name) }) })
	e2e.SSH(t, u, "echo in; id -u; echo err >&2; exit 4").Want(t, fmt.Sprintf("in\n%d\n", u.UID), "err\n", 4)
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if got := c.Run("stty size"); got == "" || got == "0 0" {
		t.Errorf("size of the terminal: %q", got)
	}
	c.Line("exit 3")
	if status := c.Wait(); status != 3 {
		t.Errorf("status %d, want 3", status)
	}
}

func TestPodmanIsExplainedAndListed(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t)
	e2e.SSH(t, u, "true").Want(t, "", "", 0)
	out := e2e.OnHost(t, e2e.CtlPath, "explain", u.Name)
	for _, want := range []string{"podman create", u.Name + "_dockersh (running)"} {
		if !strings.Contains(out, want) {
			t.Errorf("explain: no %q in\n%s", want, out)
		}
	}
	e2e.WithSettings(t, "[dockersh]\n\t"+e2e.InPodman+"\n")
	if out := e2e.OnHost(t, e2e.CtlPath, "ls"); !strings.Contains(out, u.Name+"_dockersh") || !strings.Contains(out, "running") {
		t.Errorf("ls:\n%s", out)
	}
}

func TestPodmanContainerOfACommittedImageIsNotOurs(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t)
	e2e.CanLogIn(t, u)
	own := u.Name + "_dockersh"
	podman(t, "commit", own, "dsh-committed")
	t.Cleanup(func() { _ = e2e.TryPodman("rmi", "-f", "dsh-committed") })
	podman(t, "rm", "-f", "-t", "0", own)
	podman(t, "create", "--name", own, "--entrypoint", "sleep", "dsh-committed", "1000")
	e2e.SSH(t, u, "true").Refused(t, "did not make")
	if state := podman(t, "inspect", "-f", "{{.State.Status}}", own); state != "created" {
		t.Errorf("it is %s", state)
	}
}

// Podman changes no limits in a container that exists, so a container is carried over to them.
func TestPodmanContainersAreCarriedOver(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u := newPodmanUser(t, "onchange = apply", "pidslimit = 90", "env = A=1", "volume = /keeps")
	layers := func() string { return podman(t, "images", "-aq", "--filter", "label=dockersh.layer") }
	const limit = "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null"
	before := layers()
	e2e.SSH(t, u, "echo home >~/f; touch ~/s; chmod 4711 ~/s").Want(t, "", "", 0)
	podman(t, "exec", "-u", "0", containersInPodman(t, u)[0], "sh", "-c", "echo volume >/keeps/v")
	for n := range 2 {
		u.Configure(t, e2e.InPodman, "imagename = dsh-debian", "shell = /bin/bash", "onchange = apply", "volume = /keeps",
			fmt.Sprint("pidslimit = ", 100+n), fmt.Sprint("env = B", n, "=2"))
		e2e.Eventually(t, "it is carried over", func() bool { return e2e.SSH(t, u, limit).Stdout == fmt.Sprint(100+n, "\n") })
		e2e.SSH(t, u, "cat ~/f /keeps/v; stat -c %a ~/s; echo $A$B0$B1").Want(t, "home\nvolume\n4711\n2\n", "", 0)
	}
	ids := containersInPodman(t, u)
	if len(ids) != 1 || layers() == before {
		t.Errorf("containers %q, layers %q", ids, layers())
	}
	e2e.MustCtl(t, "rm", "--yes", u.Name+"_dockersh")
	if now := layers(); now != before {
		t.Errorf("layers %q, before %q", now, before)
	}
}
