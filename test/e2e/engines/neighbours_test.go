//go:build e2e

package engines

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// filterSocket is that of an engine with a packet filter, as engines are by default. It has
// a network of its own, which stands for that of a host.
const filterSocket = "/run/filter.sock"

var filterDaemon, filterPodmanDaemon e2e.Daemon

var filtered = e2e.EngineOnce(func() error {
	if out, err := exec.Command("unshare", "--net", "iptables", "-t", "nat", "-L").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: no packet filter: %w: %s", e2e.ErrNotHere, err, out)
	}
	apart := os.Getenv("APART")
	docker := func(args ...string) error {
		return e2e.TryDocker(append([]string{"-H", "unix://" + filterSocket}, args...)...)
	}
	daemon := &filterDaemon
	*daemon = e2e.Daemon{
		Name: "filter",
		Argv: []string{"unshare", "--net", "dockerd", "-H", "unix://" + filterSocket, "--data-root", apart + "/filter",
			"--exec-root", "/run/filter", "--pidfile", "/run/filter.pid",
			"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent=/" + filepath.Base(apart)},
		Ready: func() bool { return docker("version") == nil },
	}
	if err := daemon.Start(); err != nil {
		return err
	}
	return docker("import", e2e.ImageTar("busybox"), "dsh-busybox")
})

// filteredPodmanSocket is that of a Podman in the same case.
const filteredPodmanSocket = "/run/filter-podman.sock"

var filteredPodman = e2e.EngineOnce(func() error {
	if _, err := os.Stat("/usr/bin/podman"); err != nil {
		return fmt.Errorf("%w: podman is not installed (apt-get install podman)", e2e.ErrNotHere)
	}
	apart := os.Getenv("APART")
	dir := apart + "/filter-podman"
	for path, text := range map[string]string{
		dir + "/storage.conf": fmt.Sprintf("[storage]\ndriver = \"overlay\"\ngraphroot = \"%s/graph\"\nrunroot = \"/run/filter-podman\"\n", dir),
		dir + "/containers.conf": "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n" +
			"[network]\nnetwork_config_dir = \"" + dir + "/networks\"\n",
	} {
		if err := errors.Join(os.MkdirAll(dir+"/networks", 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	podman := func(args ...string) error {
		return exec.Command("podman", append([]string{"--url", "unix://" + filteredPodmanSocket}, args...)...).Run()
	}
	daemon := &filterPodmanDaemon
	*daemon = e2e.Daemon{
		Name: "filter-podman",
		Argv: []string{"env", "HOME=/root", "CONTAINERS_CONF=" + dir + "/containers.conf", "CONTAINERS_STORAGE_CONF=" + dir + "/storage.conf",
			"unshare", "--net", "podman", "system", "service", "--time=0", "unix://" + filteredPodmanSocket},
		Ready: func() bool { return podman("version") == nil },
	}
	if err := daemon.Start(); err != nil {
		return err
	}
	return podman("import", e2e.ImageTar("busybox"), "dsh-busybox")
})

func TestUsersDoNotReachEachOtherOverTheNetwork(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(filtered), "the network is the engine's")
	u := usersAreApart(t, filterSocket, "docker", "-H")
	reachesTheWorld(t, u, &filterDaemon)
}

func TestUsersDoNotReachEachOtherInPodman(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(filteredPodman), "the network is the engine's")
	networks := func() string {
		return e2e.OnHost(t, "podman", "--url", "unix://"+filteredPodmanSocket, "network", "ls", "--format", "{{.Name}}")
	}
	u := usersAreApart(t, filteredPodmanSocket, "podman", "--url")
	reachesTheWorld(t, u, &filterPodmanDaemon)
	container := u.Name + "_dockersh"
	if all := networks(); !strings.Contains(all, "dockersh-"+container+"\n") {
		t.Errorf("networks: %q", all)
	}
	e2e.OnHost(t, "podman", "--url", "unix://"+filteredPodmanSocket, "stop", "-t", "0", container)
	// As a prune by hand of one whose file was lost.
	if err := os.Remove(os.Getenv("APART") + "/filter-podman/networks/dockersh-" + container + ".json"); err != nil {
		t.Error(err)
	}
	e2e.SSH(t, u, "ip route | grep -q '^default via' && echo routed").Want(t, "routed\n", "", 0)
	e2e.OnHost(t, e2e.CtlPath, "rm", "--yes", container)
	if all := networks(); strings.Contains(all, u.Name) {
		t.Errorf("networks after rm: %q", all)
	}
}

// usersAreApart has two users of an engine try to reach each other, and returns the first.
func usersAreApart(t *testing.T, socket string, cli ...string) *e2e.Account {
	t.Helper()
	engine := func(args ...string) string {
		return e2e.OnHost(t, slices.Concat(cli, []string{"unix://" + socket}, args)...)
	}
	newUser := func(lines ...string) (u *e2e.Account, address string) {
		u = e2e.NewUser(t, append([]string{"dockersocket = " + socket, "imagename = dsh-busybox", "pull = never"}, lines...)...)
		t.Cleanup(func() {
			for _, id := range strings.Fields(engine("ps", "-aq", "--filter", "label=dockersh.user="+u.Name)) {
				engine("rm", "-f", id)
			}
		})
		start := "mkdir -p /tmp/w && echo " + u.Name + " >/tmp/w/name && (httpd -p 8000 -h /tmp/w) && ip -4 addr show dev eth0 | sed -n 's,.*inet \\([0-9.]*\\).*,\\1,p'"
		out, err := e2e.TrySSH(u, nil, start)
		if err != nil {
			t.Fatal(err, out)
		}
		return u, strings.TrimSpace(out.Stdout)
	}
	first, firstAt := newUser()
	second, secondAt := newUser()
	fetch := func(u *e2e.Account, at string) string {
		out, _ := e2e.TrySSH(u, nil, "printf 'GET /name HTTP/1.0\\r\\n\\r\\n' | timeout 3 nc "+at+" 8000 | tail -n 1")
		return strings.TrimSpace(out.Stdout)
	}
	if got := fetch(first, firstAt); got != first.Name {
		t.Errorf("the own server says %q", got)
	}
	for _, got := range []string{fetch(first, secondAt), fetch(second, firstAt)} {
		if got != "" {
			t.Errorf("a neighbour's server says %q", got)
		}
	}
	e2e.SSH(t, first, "ip route | grep -q '^default via' && echo routed").Want(t, "routed\n", "", 0)

	// The test would not see a network in which nothing is reached: in this one they meet.
	third, _ := newUser("network = bridge")
	fourth, fourthAt := newUser("network = bridge")
	if got := fetch(third, fourthAt); got != fourth.Name {
		t.Errorf("in the engine's own network the neighbour's server says %q", got)
	}
	return first
}

// reachesTheWorld has a user reach a machine beyond the engine's host, which knows no way to
// containers.
func reachesTheWorld(t *testing.T, u *e2e.Account, daemon *e2e.Daemon) {
	t.Helper()
	dir := t.TempDir()
	e2e.WriteFile(t, dir+"/name", "world")
	world := exec.Command("unshare", "--net", "sh", "-c", "until ip addr add 198.51.100.2/24 dev world1; do sleep 0.1; done 2>/dev/null; "+
		"ip link set world1 up; exec busybox httpd -f -p 80 -h "+dir)
	if err := world.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Process.Kill(); _ = world.Wait() })
	host := []string{"nsenter", "-n", "-t", strconv.Itoa(daemon.Cmd.Process.Pid)}
	e2e.OnHost(t, append(host, "sh", "-c", "ip link add world0 type veth peer name world1 && ip addr add 198.51.100.1/24 dev world0 && ip link set world0 up")...)
	e2e.Eventually(t, "a container reaches the world", func() bool {
		_ = exec.Command(host[0], append(host[1:], "ip", "link", "set", "world1", "netns", strconv.Itoa(world.Process.Pid))...).Run()
		out, err := e2e.TrySSH(u, nil, "timeout 2 wget -qO- http://198.51.100.2/name")
		return err == nil && out.Stdout == "world"
	})
}
