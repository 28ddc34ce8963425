//go:build e2e

package engines

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// filterSocket is that of an engine with a packet filter, as engines are by default. It has
// a network of its own, which stands for that of a host.
const filterSocket = "/run/filter.sock"

var filtered = e2e.EngineOnce(func() error {
	if out, err := exec.Command("unshare", "--net", "iptables", "-t", "nat", "-L").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: no packet filter: %w: %s", e2e.ErrNotHere, err, out)
	}
	apart := os.Getenv("APART")
	docker := func(args ...string) error {
		return e2e.TryDocker(append([]string{"-H", "unix://" + filterSocket}, args...)...)
	}
	daemon := e2e.Daemon{
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

func TestUsersDoNotReachEachOtherOverTheNetwork(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(filtered), "the network is the engine's")
	docker := func(args ...string) string {
		return e2e.OnHost(t, append([]string{"docker", "-H", "unix://" + filterSocket}, args...)...)
	}
	newUser := func(lines ...string) (u *e2e.Account, address string) {
		u = e2e.NewUser(t, append([]string{"dockersocket = " + filterSocket, "imagename = dsh-busybox", "pull = never"}, lines...)...)
		t.Cleanup(func() {
			for _, id := range strings.Fields(docker("ps", "-aq", "--filter", "label=dockersh.user="+u.Name)) {
				docker("rm", "-f", id)
			}
		})
		start := "mkdir -p /tmp/w && echo " + u.Name + " >/tmp/w/name && (httpd -p 8000 -h /tmp/w) && hostname -i"
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
	_, fourthAt := newUser("network = bridge")
	if got := fetch(third, fourthAt); got == "" {
		t.Error("in the engine's own network no neighbour is reached")
	}
}
