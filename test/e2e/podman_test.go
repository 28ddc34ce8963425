//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const podmanSocket = "/run/podman/podman.sock"

// podmanConf is as scripts/engine: no systemd, no packet filter.
const podmanConf = "[containers]\nnetns = \"none\"\n[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n"

var podmanOnce sync.Once

// podmanMissing says why there is no Podman here; empty when there is.
var podmanMissing string

// podmanEngine starts Podman's service, for the rest of the run.
func podmanEngine(t *testing.T) {
	t.Helper()
	podmanOnce.Do(func() { podmanMissing = startPodman(t) })
	if podmanMissing != "" {
		t.Skip(podmanMissing)
	}
}

func startPodman(t *testing.T) string {
	if _, err := os.Stat("/usr/bin/podman"); err != nil {
		return "podman is not installed (apt-get install podman)"
	}
	apart := os.Getenv("APART")
	for path, text := range map[string]string{
		"/etc/containers/storage.conf":    fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = \"%s/podman\"\nrunroot = \"/run/podman-run\"\n", apart),
		"/etc/containers/containers.conf": podmanConf,
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "mkdir", "-p", "/run/podman")
	service := daemon{
		name:  "podman",
		argv:  []string{"env", "HOME=/root", "podman", "system", "service", "--time=0", "unix://" + podmanSocket},
		ready: func() bool { return exec.Command("podman", "--url", "unix://"+podmanSocket, "version").Run() == nil },
	}
	if err := service.start(); err != nil {
		t.Fatal(err)
	}
	for _, image := range []string{"busybox", "debian"} {
		podman(t, "import", os.Getenv("REPO")+"/build/images/"+image+".tar", "dsh-"+image)
	}
	if out, err := exec.Command("podman", "--url", "unix://"+podmanSocket, "run", "--rm", "dsh-busybox", "/bin/true").CombinedOutput(); err != nil {
		return "podman starts no container on this machine: " + string(out)
	}
	return ""
}

func podman(t testing.TB, args ...string) string {
	t.Helper()
	return run(t, append([]string{"podman", "--url", "unix://" + podmanSocket}, args...)...)
}

// newPodman is a new user whose containers are Podman's.
func newPodman(t *testing.T, lines ...string) *account {
	t.Helper()
	podmanEngine(t)
	u := newBoxed(t, append([]string{"dockersocket = " + podmanSocket, "imagename = dsh-debian", "shell = /bin/bash"}, lines...)...)
	t.Cleanup(func() {
		for _, id := range u.podmans(t) {
			eventually(t, "podman removes "+id, func() bool { return podmanRemoves(id) })
		}
	})
	return u
}

// inPodman is the kind of account whose container is Podman's: both runs its tests
// there too.
var inPodman = &kind{name: "podman", make: func() (*account, error) {
	a, err := addUser(front)
	if err != nil {
		return nil, err
	}
	return a, a.set("dockersocket = "+podmanSocket, "imagename = dsh-debian", "shell = /bin/bash", "mounthome")
}}

// podmanRemoves tells whether the container is gone. With a user namespace of its
// own a mount of it may be busy for a while.
func podmanRemoves(id string) bool {
	return exec.Command("podman", "--url", "unix://"+podmanSocket, "rm", "-f", "-i", "-t", "0", id).Run() == nil
}

// podmans are the ids of what logins of the account made there.
func (a *account) podmans(t testing.TB) []string {
	t.Helper()
	return strings.Fields(podman(t, "ps", "-aq", "--no-trunc", "--filter", "label=dockersh.user="+a.name))
}

func TestPodmanSessions(t *testing.T) {
	u := newPodman(t)
	u.join(t, "dshteam")
	ssh(t, u, "whoami; id -u; id -g; id -Gn; pwd; stat -c '%u %a' ~ /etc/passwd; cat /proc/1/comm").
		want(t, fmt.Sprintf("%s\n%d\n%d\n%s dshteam\n%s\n%d 755\n0 644\ndockersh-init\n", u.name, u.uid, u.gid, u.name, u.home, u.uid), "", 0)
	ssh(t, u, "echo out; echo err >&2; exit 7").want(t, "out\n", "err\n", 7)
	data := strings.Repeat("\x00\r\n\xff0123456789", 100_000)
	if r := sshInput(t, u, strings.NewReader(data), "cat"); r.stdout != data || r.status != 0 {
		t.Errorf("%d bytes came back of %d, status %d, %s", len(r.stdout), len(data), r.status, r.stderr)
	}
	c := sshConsole(t, u)
	c.login()
	if got := c.run("tty"); got != "/dev/pts/0" {
		t.Errorf("tty: %q", got)
	}
	c.line("exit 9")
	if status := c.wait(); status != 9 {
		t.Errorf("status %d", status)
	}
}

func TestPodmanStates(t *testing.T) {
	u := newPodman(t)
	ssh(t, u, "echo kept >~/f").want(t, "", "", 0)
	id := u.podmans(t)[0]
	podman(t, "stop", "-t", "2", id)
	ssh(t, u, "cat ~/f").want(t, "kept\n", "", 0)
	podman(t, "pause", id)
	ssh(t, u, "true").refused(t, "paused")
	podman(t, "unpause", id)
	ssh(t, u, "cat ~/f").want(t, "kept\n", "", 0)
	c := sshConsole(t, u)
	c.login()
	podman(t, "rm", "-f", "-t", "0", id)
	c.expect("the container was ") // stopped, or removed: Podman does one after the other
	c.wait()
	ssh(t, u, "test -e ~/f; echo $?").want(t, "1\n", "", 0)
	if now := u.podmans(t); len(now) != 1 || now[0] == id {
		t.Errorf("containers %q, the removed one was %s", now, id)
	}
}

func TestPodmanSharedContainer(t *testing.T) {
	a := newPodman(t, "containername = dsh-podclass")
	b := newPodman(t, "containername = dsh-podclass")
	ssh(t, a, "whoami; umask 022; echo a >/tmp/of-a").want(t, a.name+"\n", "", 0)
	r := ssh(t, b, "whoami; id -u; stat -c %U /tmp/of-a; echo b >>/tmp/of-a")
	if want := fmt.Sprintf("%s\n%d\n%s\n", b.name, b.uid, a.name); r.stdout != want || r.status == 0 {
		t.Errorf("%q, status %d; want %q and no right to write: %s", r.stdout, r.status, want, r.stderr)
	}
}

func TestPodmanSettingsReachTheContainer(t *testing.T) {
	u := newPodman(t, "mounthome", "memory = 64m", "pidslimit = 77", "capdrop = ALL", "hostname = inner", "env = TWO=a b", "volume = /etc:/hostetc:ro",
		"dockeropt = --tz=Asia/Tokyo") // an option that docker does not have
	ssh(t, u, "hostname; echo $TWO; date +%Z; test -e /hostetc/passwd && echo etc; grep -E 'NoNewPrivs|CapBnd' /proc/self/status; echo x >~/f; stat -c %u ~/f").
		want(t, fmt.Sprintf("inner\na b\nJST\netc\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n%d\n", u.uid), "", 0)
	if got, want := owner(t, u.home+"/f"), fmt.Sprintf("%d %d 644", u.uid, u.gid); got != want {
		t.Errorf("the file is %s on the host, want %s", got, want)
	}
	id := u.podmans(t)[0]
	for field, want := range map[string]string{
		"{{.HostConfig.Memory}}":                             "67108864",
		"{{.HostConfig.PidsLimit}}":                          "77",
		"{{.HostConfig.LogConfig.Type}}":                     "none",
		`{{index .Config.Labels "dockersh.user"}}`:           u.name,
		`{{index .Config.Labels "dockersh.uid"}}`:            strconv.Itoa(u.uid),
		`{{index .Config.Labels "dockersh.home"}}`:           "",
		`{{len (index .Config.Labels "dockersh.settings")}}`: "64",
	} {
		if got := podman(t, "inspect", "-f", field, id); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

func TestPodmanEntrypointOfItsOwn(t *testing.T) {
	u := newPodman(t, "entrypoint = /bin/sleep", "cmd = 32400", "pidslimit = 0")
	ssh(t, u, "whoami; cat /proc/1/comm").want(t, u.name+"\nsleep\n", "", 0)
	id := u.podmans(t)[0]
	if got := podman(t, "inspect", "-f", "{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Size}} {{.HostConfig.PidsLimit}}", id); got != "k8s-file 10MB -1" && got != "k8s-file 10MB 0" {
		t.Errorf("log and limit: %q", got)
	}
}

func TestPodmanWhatIsRefusedLeavesNothing(t *testing.T) {
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
			u := newPodman(t, c.lines...)
			ssh(t, u, "true").refused(t, c.told)
			if ids := u.podmans(t); len(ids) != 0 {
				t.Errorf("left: %q", ids)
			}
		})
	}
	t.Run("foreign container", func(t *testing.T) {
		u := newPodman(t)
		podman(t, "create", "--name", u.name+"_dockersh", "dsh-busybox", "/bin/true")
		t.Cleanup(func() { podman(t, "rm", "-f", u.name+"_dockersh") })
		ssh(t, u, "true").refused(t, "dockersh did not make")
	})
}

func TestPodmanUserNamespaceOfOneContainer(t *testing.T) {
	// The kernel tells the agent's uid, whoever made the user namespace.
	u := newPodman(t, "dockeropt = --uidmap=0:300000:65536", "dockeropt = --gidmap=0:300000:65536")
	ssh(t, u, "whoami; tr -s ' ' </proc/self/uid_map; stat -c %u ~").want(t, fmt.Sprintf("%s\n 0 300000 65536\n%d\n", u.name, u.uid), "", 0)
	v := newPodman(t, "mounthome", "dockeropt = --uidmap=0:300000:65536", "dockeropt = --gidmap=0:300000:65536")
	ssh(t, v, "true").refused(t, "its home was mounted for")
	if ids := v.podmans(t); len(ids) != 0 {
		t.Errorf("left: %q", ids)
	}
}

func TestPodmanContainerMadeByHand(t *testing.T) {
	u := newPodman(t)
	name := "hand-" + u.name
	if err := u.set("dockersocket = "+podmanSocket, "containername = "+name, "adopt", "usercwd = /tmp"); err != nil {
		t.Fatal(err)
	}
	podman(t, "create", "--name", name, "dsh-busybox", "sleep", "infinity")
	t.Cleanup(func() { eventually(t, "podman removes it", func() bool { return podmanRemoves(name) }) })
	ssh(t, u, "echo in; id -u; echo err >&2; exit 4").want(t, fmt.Sprintf("in\n%d\n", u.uid), "err\n", 4)
	c := sshConsole(t, u)
	c.login()
	if got := c.run("stty size"); got == "" || got == "0 0" {
		t.Errorf("size of the terminal: %q", got)
	}
	c.line("exit 3")
	if status := c.wait(); status != 3 {
		t.Errorf("status %d, want 3", status)
	}
}

func TestPodmanIsExplainedAndListed(t *testing.T) {
	u := newPodman(t)
	ssh(t, u, "true").want(t, "", "", 0)
	out := run(t, prefix+"/bin/dockershctl", "explain", u.name)
	for _, want := range []string{"podman create", u.name + "_dockersh (running)"} {
		if !strings.Contains(out, want) {
			t.Errorf("explain: no %q in\n%s", want, out)
		}
	}
	withSettings(t, "[dockersh]\n\tdockersocket = "+podmanSocket+"\n")
	if out := run(t, prefix+"/bin/dockershctl", "ls"); !strings.Contains(out, u.name+"_dockersh") || !strings.Contains(out, "running") {
		t.Errorf("ls:\n%s", out)
	}
}
