//go:build e2e

package e2e

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// cuts are the ways in which a connection ends that nobody closes.
var cuts = map[string]func(t *testing.T, u *account, c *console){
	"by killing the client": func(t *testing.T, _ *account, c *console) { _ = c.cmd.Process.Kill() },
	"by killing sshd's process": func(t *testing.T, u *account, _ *console) {
		pids := pidsOf(func(_ int, args string) bool { return strings.HasPrefix(args, "sshd: "+u.name+"@") })
		if len(pids) != 1 {
			t.Fatalf("%d processes of sshd", len(pids))
		}
		_ = syscall.Kill(pids[0], syscall.SIGKILL)
	},
	"by a network that stops answering": func(t *testing.T, _ *account, _ *console) {
		run(t, "ip", "link", "set", wire1, "down")
		t.Cleanup(func() { run(t, "ip", "link", "set", wire1, "up") })
	},
	"with the front stopped": func(t *testing.T, u *account, c *console) {
		// The terminal's end continues a stopped process, and hangs it up.
		_ = syscall.Kill(processOf(t, u, front), syscall.SIGSTOP)
		_ = c.cmd.Process.Kill()
	},
}

// The two ends of a wire to a network of the client's own.
const (
	wire1, wire2 = "dshw1", "dshw2"
	farPort      = "2231"
)

// farSSHD is a sshd at the end of that wire, which asks its clients every second
// whether they are there still.
var farSSHD = &daemon{
	name: "far-sshd",
	argv: []string{"/usr/sbin/sshd", "-D", "-e", "-f", scratch + "/far_sshd_config"},
	ready: func() bool {
		conn, err := net.Dial("tcp", "10.77.0.1:"+farPort)
		if err == nil {
			conn.Close()
		}
		return err == nil
	},
}

// farAway lays the wire and gives the command that runs others at its end.
func farAway(t *testing.T) []string {
	t.Helper()
	run(t, "sh", "-ec", `
		ip link add `+wire1+` type veth peer name `+wire2+`
		unshare -n sleep 100000 </dev/null >/dev/null 2>&1 &
		until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
		ip link set `+wire2+` netns $!
		ip addr add 10.77.0.1/24 dev `+wire1+`
		ip link set `+wire1+` up
		nsenter -t $! -n sh -ec "ip addr add 10.77.0.2/24 dev `+wire2+`; ip link set `+wire2+` up"
		echo $! >`+scratch+`/far.pid`)
	pid, err := os.ReadFile(scratch + "/far.pid")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		n, _ := strconv.Atoi(strings.TrimSpace(string(pid)))
		_ = syscall.Kill(n, syscall.SIGKILL)
		_ = exec.Command("ip", "link", "del", wire1).Run()
	})
	config, err := os.ReadFile(scratch + "/sshd_config")
	if err != nil {
		t.Fatal(err)
	}
	// The first value counts, but for ListenAddress.
	text := strings.NewReplacer("ListenAddress ::1\n", "", "ListenAddress 127.0.0.1", "ListenAddress 10.77.0.1\nClientAliveInterval 1\nClientAliveCountMax 2",
		"Port "+port, "Port "+farPort).Replace(string(config))
	if err := os.WriteFile(scratch+"/far_sshd_config", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := farSSHD.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(farSSHD.stop)
	return []string{"nsenter", "-t", strings.TrimSpace(string(pid)), "-n", "--"}
}

// However the connection is cut, the session ends; what is ephemeral goes, and what
// is not stays as it was.
func TestEachOptionHoldsWhenTheConnectionIsCut(t *testing.T) {
	far := farAway(t)
	eachOption(t, func(t *testing.T, u *account, o option) {
		for how, cut := range cuts {
			t.Run(how, func(t *testing.T) {
				argv := sshArgv(u, "-tt", "10.77.0.1")
				for i, a := range argv {
					if a == port {
						argv[i] = farPort
					}
				}
				c := newConsole(t, 24, 80, append(append([]string{}, far...), argv...)...)
				c.login()
				name := c.run("hostname")
				c.run("echo work >/tmp/work")
				mark := "sleep " + strconv.Itoa(77000000+u.uid)
				c.line(mark)
				eventually(t, "the command runs", func() bool { return argsRun(mark) })
				cut(t, u, c)
				eventually(t, "the command is hung up", func() bool { return !argsRun(mark) })
				o.left(t, u, name)
				if o.stays {
					if got := run(t, "docker", "exec", name, "cat", "/tmp/work"); got != "work" {
						t.Errorf("%q", got)
					}
				}
			})
		}
	})
}
