//go:build e2e

package identity

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// cuts are the ways in which a connection ends without being closed.
var cuts = map[string]func(t *testing.T, u *e2e.Account, c *e2e.Console){
	"by killing the client": func(t *testing.T, _ *e2e.Account, c *e2e.Console) { _ = c.Cmd.Process.Kill() },
	"by killing sshd's process": func(t *testing.T, u *e2e.Account, _ *e2e.Console) {
		pids := e2e.SSHDsOf(u)
		if len(pids) != 1 {
			t.Fatalf("%d processes of sshd", len(pids))
		}
		_ = syscall.Kill(pids[0], syscall.SIGKILL)
	},
	"by a network that stops answering": func(t *testing.T, _ *e2e.Account, _ *e2e.Console) {
		e2e.OnHost(t, "ip", "link", "set", wire1, "down")
		t.Cleanup(func() { e2e.OnHost(t, "ip", "link", "set", wire1, "up") })
	},
	"with the front stopped": func(t *testing.T, u *e2e.Account, c *e2e.Console) {
		// When its terminal ends, a stopped process is continued and hung up.
		_ = syscall.Kill(e2e.ProcessOf(t, u, e2e.Front), syscall.SIGSTOP)
		_ = c.Cmd.Process.Kill()
	},
}

// The two ends of a wire to the client's own network.
const (
	wire1, wire2 = "dshw1", "dshw2"
	farPort      = "2231"
)

// farSSHD is an sshd at the end of that wire. It asks its clients every second whether
// they are alive.
var farSSHD = &e2e.Daemon{
	Name:  "far-sshd",
	Argv:  []string{"/usr/sbin/sshd", "-D", "-e", "-f", e2e.Scratch + "/far_sshd_config"},
	Ready: func() bool { return e2e.Listens("10.77.0.1:" + farPort) },
}

// farAway lays the wire and returns the words that run a command at its other end.
func farAway(t *testing.T) []string {
	t.Helper()
	e2e.OnHost(t, "sh", "-ec", `
		ip link add `+wire1+` type veth peer name `+wire2+`
		unshare -n sleep 100000 </dev/null >/dev/null 2>&1 &
		until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
		ip link set `+wire2+` netns $!
		ip addr add 10.77.0.1/24 dev `+wire1+`
		ip link set `+wire1+` up
		nsenter -t $! -n sh -ec "ip addr add 10.77.0.2/24 dev `+wire2+`; ip link set `+wire2+` up"
		echo $! >`+e2e.Scratch+`/far.pid`)
	pid, err := os.ReadFile(e2e.Scratch + "/far.pid")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n, _ := strconv.Atoi(strings.TrimSpace(string(pid)))
		_ = syscall.Kill(n, syscall.SIGKILL)
		_ = exec.Command("ip", "link", "del", wire1).Run()
	})
	config, err := os.ReadFile(e2e.Scratch + "/sshd_config")
	if err != nil {
		t.Fatal(err)
	}
	// The first value counts, except of ListenAddress.
	text := strings.NewReplacer("ListenAddress ::1\n", "", "ListenAddress 127.0.0.1", "ListenAddress 10.77.0.1\nClientAliveInterval 1\nClientAliveCountMax 2",
		"Port "+e2e.Port, "Port "+farPort).Replace(string(config))
	if err := os.WriteFile(e2e.Scratch+"/far_sshd_config", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := farSSHD.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(farSSHD.Stop)
	return []string{"nsenter", "-t", strings.TrimSpace(string(pid)), "-n", "--"}
}

// However the connection is cut, the session ends. An ephemeral container is removed,
// any other stays as it was.
func TestEachSharingOptionHoldsWhenTheConnectionIsCut(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can find sshd's connection")
	far := farAway(t)
	eachOption(t, func(t *testing.T, u *e2e.Account, o option) {
		for how, cut := range cuts {
			t.Run(how, func(t *testing.T) {
				argv := e2e.SSHArgv(u, "-tt", "10.77.0.1")
				for i, a := range argv {
					if a == e2e.Port {
						argv[i] = farPort
					}
				}
				c := e2e.NewConsole(t, 24, 80, append(append([]string{}, far...), argv...)...)
				c.FirstPrompt()
				name := c.Run(e2e.ContainerID)
				c.Run("echo work >/tmp/work")
				mark := "sleep " + strconv.Itoa(77000000+u.UID)
				c.Line(mark)
				e2e.Eventually(t, "the command runs", func() bool { return e2e.CommandRuns(mark) })
				cut(t, u, c)
				e2e.Eventually(t, "the command is hung up", func() bool { return !e2e.CommandRuns(mark) })
				o.checkAfter(t, u, name)
				if o.stays {
					if got := e2e.OnHost(t, "docker", "exec", name, "cat", "/tmp/work"); got != "work" {
						t.Errorf("%q", got)
					}
				}
			})
		}
	})
}
