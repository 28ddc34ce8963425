//go:build e2e

package identity

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// place is where a user sits: the address and the key of the client.
type place struct{ address, key string }

// argv returns a command line of the client at the place.
func (p place) argv(u *e2e.Account, args ...string) []string {
	to := "127.0.0.1"
	if strings.Contains(p.address, ":") {
		to = "::1"
	}
	argv := e2e.SSHArgv(u, "-b", p.address)
	for i, a := range argv {
		if a == e2e.Scratch+"/key" {
			argv[i] = e2e.Scratch + "/" + p.key
		}
	}
	for i, a := range args {
		if a == "--" {
			return append(append(append(argv, args[:i]...), to), args[i+1:]...)
		}
	}
	return append(append(argv, to), args...)
}

// output returns the output of a command that runs from the place.
func (p place) output(t *testing.T, u *e2e.Account, args ...string) string {
	t.Helper()
	argv := p.argv(u, args...)
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		t.Fatalf("from %v: %v", p, err)
	}
	return strings.TrimSpace(string(out))
}

// places returns two addresses with two keys, and ::1 if the kernel has IPv6.
func places(t *testing.T, u *e2e.Account) []place {
	t.Helper()
	second := u.AddKey(t)
	all := []place{{"127.0.0.2", "key"}, {"127.0.0.3", "key"}, {"127.0.0.2", second}}
	if _, err := os.Stat("/proc/net/if_inet6"); err == nil {
		all = append(all, place{"::1", "key"})
	}
	return all
}

// An option is one way to share containers.
type option struct {
	name  string
	lines func(user string) []string
	// meet reports whether sessions from two places are in one container.
	meet  func(a, b place) bool
	stays bool // whether the container stays after the last session
}

func options() []option {
	always := func(place, place) bool { return true }
	lines := func(all ...string) func(string) []string { return func(string) []string { return all } }
	return []option{
		{"1 a container for each session", lines("containername = %u-%x", "ephemeral"), func(place, place) bool { return false }, false},
		{"2 one for all", func(user string) []string { return []string{"containername = room-of-" + user} }, always, true},
		{"3a one for each Unix user", lines(), always, true},
		{"3b one for each address", lines("containername = %u-%i"), func(a, b place) bool { return a.address == b.address }, true},
		{"3c one for each key", lines("containername = %u-%k"), func(a, b place) bool { return a.key == b.key }, true},
	}
}

// eachOption runs a test for each option, with an account that has it.
func eachOption(t *testing.T, f func(t *testing.T, u *e2e.Account, o option)) {
	for _, o := range options() {
		t.Run(o.name, func(t *testing.T) {
			u := e2e.NewUser(t)
			u.Configure(t, o.lines(u.Name)...)
			f(t, u, o)
		})
	}
}

func TestEachSharingOptionPutsTheRightSessionsTogether(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can find sshd's connection")
	eachOption(t, func(t *testing.T, u *e2e.Account, o option) {
		all := places(t, u)
		var first []string
		for _, p := range all {
			first = append(first, p.output(t, u, e2e.ContainerID))
		}
		for i, p := range all {
			for j, q := range all[:i] {
				if got := first[i] == first[j]; got != o.meet(p, q) {
					t.Errorf("%v and %v meet: %v", p, q, got)
				}
			}
			if again := p.output(t, u, e2e.ContainerID); (again == first[i]) != o.stays {
				t.Errorf("%v: first %s, then %s", p, first[i], again)
			}
		}
		if !o.stays {
			e2e.ContainersGone(t, u)
		}
	})
}

func TestEachSharingOptionHoldsForSessionsOfOneConnection(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can find sshd's connection")
	eachOption(t, func(t *testing.T, u *e2e.Account, o option) {
		p := places(t, u)[1]
		alone := p.output(t, u, e2e.ContainerID)
		socket := e2e.Scratch + "/m-" + u.Name
		argv := p.argv(u, "-fNM", "-S", socket, "--")
		e2e.OnHost(t, argv...)
		t.Cleanup(func() { _ = exec.Command("ssh", "-S", socket, "-O", "exit", "x").Run() })
		one, two := p.output(t, u, "-S", socket, "--", e2e.ContainerID), p.output(t, u, "-S", socket, "--", e2e.ContainerID)
		if (one == two) != o.stays || (one == alone) != o.stays {
			t.Errorf("alone %s, by one connection %s and %s", alone, one, two)
		}
		// The connection ends while it has two sessions.
		a := e2e.NewConsole(t, 24, 80, p.argv(u, "-S", socket, "-tt", "--")...)
		b := e2e.NewConsole(t, 24, 80, p.argv(u, "-S", socket, "-tt", "--")...)
		a.FirstPrompt()
		b.FirstPrompt()
		e2e.OnHost(t, "ssh", "-S", socket, "-O", "exit", "x")
		a.Wait()
		b.Wait()
		o.checkAfter(t, u, alone)
	})
}

// checkAfter checks what there is after the last session: no container, or a running one.
func (o option) checkAfter(t *testing.T, u *e2e.Account, name string) {
	t.Helper()
	e2e.Eventually(t, "no session is left", func() bool {
		return len(e2e.PidsOf(func(pid int, _ string) bool {
			exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
			return exe == e2e.Front
		})) == 0
	})
	if !o.stays {
		e2e.ContainersGone(t, u)
		return
	}
	if got := e2e.Inspect(t, name, "{{.State.Status}}"); got != "running" {
		t.Errorf("it is %s", got)
	}
}

// A dual-stack socket, such as that of systemd's ssh.socket, has IPv4 addresses in the
// form of IPv6.
func TestAddressIsTheSameOnADualStackSocket(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can find sshd's connection")
	u := e2e.NewUser(t, "containername = %u-%i")
	l, err := net.Listen("tcp", "[::]:2230")
	if err != nil {
		t.Skip("no IPv6: ", err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f, err := c.(*net.TCPConn).File()
			c.Close()
			if err != nil {
				return
			}
			cmd := exec.Command(e2e.SSHD.Argv[0], "-i", "-f", e2e.Scratch+"/sshd_config")
			cmd.Stdin, cmd.Stdout = f, f
			_ = cmd.Start()
			f.Close()
			go func() { _ = cmd.Wait() }()
		}
	}()
	want := place{"127.0.0.2", "key"}.output(t, u, e2e.ContainerID)
	argv := place{"127.0.0.2", "key"}.argv(u, e2e.ContainerID)
	argv[slices.Index(argv, e2e.Port)] = "2230"
	if got := e2e.OnHost(t, argv...); got != want {
		t.Errorf("%s, and by a socket of IPv4 %s", got, want)
	}
}
