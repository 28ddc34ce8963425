//go:build e2e

package network

import (
	"encoding/json"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// listed is a line of `dockershctl sessions`, or of its history.
type listed struct {
	ID, User, Container, Client, Status string
	Pid                                 int
	Connection, Waiting                 bool
}

func list(t *testing.T, u *e2e.Account, args ...string) (of []listed) {
	t.Helper()
	var all []listed
	if err := json.Unmarshal([]byte(e2e.MustCtl(t, append([]string{"sessions", "--json"}, args...)...)), &all); err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.User == u.Name {
			of = append(of, one)
		}
	}
	return of
}

func ended(c *exec.Cmd) func() bool {
	return func() bool { return syscall.Kill(c.Process.Pid, 0) != nil }
}

func TestConnectionWithoutASessionIsListedAndKicked(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u, other := e2e.NewUser(t), e2e.NewUser(t)
	c, bystander := connect(t, u), connect(t, other)
	for _, u := range []*e2e.Account{u, other} {
		e2e.Eventually(t, "it is listed", func() bool { all := list(t, u); return len(all) == 1 && !all[0].Waiting })
	}
	one := list(t, u)[0]
	if !one.Connection || one.Container != u.Name+"_dockersh" || one.Client != "127.0.0.1" {
		t.Errorf("%+v", one)
	}
	if out := e2e.MustCtl(t, "sessions"); !strings.Contains(out, "connection") {
		t.Errorf("%q", out)
	}
	if out := e2e.MustCtl(t, "ls", "--json"); !strings.Contains(out, `"sessions":1`) {
		t.Errorf("%s", out)
	}
	if out := e2e.MustCtl(t, "kick", one.ID); out != one.ID+"  "+u.Name+"  "+u.Name+"_dockersh: ended\n" {
		t.Errorf("%q", out)
	}
	e2e.Eventually(t, "the client ends", ended(c))
	e2e.Eventually(t, "it is in no list", func() bool { return len(list(t, u)) == 0 })
	e2e.Eventually(t, "it is in the history", func() bool {
		all := list(t, u, "--history")
		return len(all) == 1 && all[0].Connection && all[0].Status == "closed" && all[0].ID == one.ID
	})
	if ended(bystander)() || len(list(t, other)) != 1 {
		t.Error("another user's connection ended")
	}
	// A connection with a session is one thing, in the list and in the history.
	console := e2e.NewConsole(t, 24, 80, e2e.PAMArgv(u, "-tt", "127.0.0.1")...)
	console.FirstPrompt()
	if all := list(t, u); len(all) != 1 || all[0].Connection {
		t.Errorf("%+v", all)
	}
	if out := e2e.MustCtl(t, "kick", "--user", u.Name); strings.Count(out, ": ended\n") != 2 {
		t.Errorf("%q", out)
	}
	console.Wait()
	// What was to be written of the two is written before the end of a later one.
	connect(t, u)
	e2e.Eventually(t, "it is listed", func() bool { all := list(t, u); return len(all) == 1 && !all[0].Waiting })
	e2e.MustCtl(t, "kick", "--user", u.Name)
	var past []listed
	e2e.Eventually(t, "it is in the history", func() bool {
		past = list(t, u, "--history")
		return len(past) > 2 && past[len(past)-1].Status == "closed"
	})
	if len(past) != 3 || past[1].Connection {
		t.Errorf("%+v", past)
	}
}

// master starts a connection for sessions to share, and returns its socket.
func master(t *testing.T, u *e2e.Account) string {
	t.Helper()
	socket := e2e.Scratch + "/m-" + u.Name + freePort()
	e2e.OnHost(t, e2e.PAMArgv(u, "-fNM", "-S", socket, "127.0.0.1")...)
	t.Cleanup(func() { _ = exec.Command("ssh", "-S", socket, "-O", "exit", "x").Run() })
	return socket
}

func TestConnectionsOfOneUserAreInOneNetwork(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	port, l1, l2 := freePort(), freePort(), freePort()
	socket := master(t, u)
	connect(t, u, "-L", l1+":127.0.0.1:"+port)
	e2e.OnHost(t, "ssh", "-S", socket, "-O", "forward", "-L", l2+":127.0.0.1:"+port, "x")
	e2e.OnHost(t, "ssh", "-S", socket, "x", "true")
	e2e.Eventually(t, "there is a container", func() bool { return len(u.Containers(t)) == 1 })
	containerListens(t, process1(t, u), port, "container")
	for _, l := range []string{l1, l2} {
		if got := word(dial(l)); got != "container" {
			t.Errorf("%q", got)
		}
	}
	// A server that a session started serves the forwards of another connection.
	server := freePort()
	l3 := freePort()
	argv := e2e.PAMArgv(u, "127.0.0.1", "echo from inside | nc -l -p "+server)
	session := exec.Command(argv[0], argv[1:]...)
	if err := session.Start(); err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "ssh", "-S", socket, "-O", "forward", "-L", l3+":127.0.0.1:"+server, "x")
	e2e.Eventually(t, "the server answers", func() bool { return word(dial(l3)) == "from inside" })
	_ = session.Wait()
}

func TestForwardsEndWithTheContainerAndANewConnectionWorks(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	for _, command := range []string{"restart", "reset"} {
		t.Run(command, func(t *testing.T) {
			u := e2e.NewUser(t)
			e2e.CanLogIn(t, u)
			port, l := freePort(), freePort()
			c := connect(t, u, "-L", l+":127.0.0.1:"+port)
			containerListens(t, process1(t, u), port, "first")
			if got := word(dial(l)); got != "first" {
				t.Fatalf("%q", got)
			}
			args := []string{command, u.Name + "_dockersh"}
			if command == "reset" {
				args = append(args, "--yes")
			}
			e2e.MustCtl(t, args...)
			e2e.Eventually(t, "the connection is ended", ended(c))
			again := freePort()
			connect(t, u, "-L", again+":127.0.0.1:"+port)
			e2e.Eventually(t, "there is a container", func() bool { return len(u.Containers(t)) == 1 })
			one := process1(t, u)
			e2e.Eventually(t, "it runs", func() bool { one = process1(t, u); return one != "0" })
			containerListens(t, one, port, "second")
			if got := word(dial(again)); got != "second" {
				t.Errorf("%q", got)
			}
		})
	}
	// Ended from inside: the forwards lead nowhere, and a new connection works.
	u := e2e.NewUser(t)
	onHost, l := hostListens(t, "host"), freePort()
	connect(t, u, "-L", l+":127.0.0.1:"+onHost)
	e2e.PAMSSH(t, u, "true")
	pid, _ := strconv.Atoi(process1(t, u))
	_ = syscall.Kill(pid, syscall.SIGKILL)
	e2e.Eventually(t, "the container ended", func() bool { return process1(t, u) == "0" })
	if got := word(dial(l)); got != "" {
		t.Errorf("it reached %q", got)
	}
	if got := e2e.PAMSSH(t, u, "echo works"); got != "works" {
		t.Errorf("%q", got)
	}
}

// A connection keeps its container as a session does: its forwards end with that.
func TestEphemeralContainerGoesWithTheLastConnection(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t, "ephemeral")
	socket := master(t, u)
	first := e2e.OnHost(t, "ssh", "-S", socket, "x", e2e.ContainerID)
	if second := e2e.OnHost(t, "ssh", "-S", socket, "x", e2e.ContainerID); second != first {
		t.Errorf("the container went between two sessions of one connection: %s, %s", first, second)
	}
	e2e.OnHost(t, "ssh", "-S", socket, "-O", "exit", "x")
	e2e.ContainersGone(t, u)
	// A login alone makes one container.
	if got := e2e.PAMSSH(t, u, e2e.ContainerID); got == "" || got == first {
		t.Errorf("%q", got)
	}
	e2e.ContainersGone(t, u)
}
