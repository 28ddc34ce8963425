//go:build e2e

package network

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestForwardsReachTheContainerAndNotTheHost(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	onHost, l, d, r := hostListens(t, "host"), freePort(), freePort(), freePort()
	client := hostListens(t, "client")
	// It makes the container: nobody has logged in before.
	connect(t, u, "-L", l+":127.0.0.1:"+onHost, "-D", d, "-R", "127.0.0.1:"+r+":127.0.0.1:"+client)
	if got := word(dial(l)); got != "" {
		t.Errorf("-L reached %q", got)
	}
	if got := word(socks(d, onHost)); got != "" {
		t.Errorf("-D reached %q", got)
	}
	if got := word(dial(r)); got != "" {
		t.Errorf("-R listens on the host: %q", got)
	}
	one := process1(t, u)
	containerListens(t, one, onHost, "container")
	if got := word(dial(l)); got != "container" {
		t.Errorf("-L reached %q", got)
	}
	if got := word(socks(d, onHost)); got != "container" {
		t.Errorf("-D reached %q", got)
	}
	got := ""
	inNetwork(t, one, func() { got = word(dial(r)) })
	if got != "client" {
		t.Errorf("-R in the container reached %q", got)
	}
	argv := e2e.PAMArgv(u, "-W", "127.0.0.1:"+onHost, "127.0.0.1") // as of ssh -J
	if out, _ := exec.Command(argv[0], argv[1:]...).Output(); strings.TrimSpace(string(out)) != "container" {
		t.Errorf("-W reached %q", out)
	}
}

func TestSessionsAreAsBefore(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	for range 2 {
		if got := e2e.PAMSSH(t, u, "echo works"); got != "works" {
			t.Errorf("%q", got)
		}
	}
	if n := len(u.Containers(t)); n != 1 {
		t.Errorf("%d containers", n)
	}
	if got := e2e.PAMSSH(t, e2e.Plain, "readlink /proc/self/ns/net"); got != e2e.OnHost(t, "readlink", "/proc/self/ns/net") {
		t.Errorf("the network of a user of bash is %s", got)
	}
	// Forced by sshd: the shell in passwd is bash.
	forced := e2e.NewAccount(t, "/bin/bash")
	forced.Join(t, e2e.ForcedGroup)
	connect(t, forced)
	e2e.Eventually(t, "a member of the group has a container", func() bool { return len(forced.Containers(t)) == 1 })
}

func TestNothingOfTheModuleIsLeftInTheUsersProcesses(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	c := e2e.NewConsole(t, 24, 80, e2e.PAMArgv(u, "-tt", "127.0.0.1")...)
	c.FirstPrompt()
	front := e2e.ProcessOf(t, u, e2e.Front)
	fds, _ := filepath.Glob("/proc/" + strconv.Itoa(front) + "/fd/*")
	for _, fd := range fds {
		if to, _ := os.Readlink(fd); strings.HasPrefix(to, "net:") {
			t.Errorf("%s is %s", fd, to)
		}
	}
	c.Line("exit")
	c.Wait()
}

// A module between ours sees the host's network at both ends.
func TestOtherModulesRunInTheNetworkOfTheHost(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	e2e.RestoreFile(t, e2e.PAMService)
	text, err := os.ReadFile(e2e.PAMService)
	if err != nil {
		t.Fatal(err)
	}
	log, script := t.TempDir()+"/log", t.TempDir()+"/script"
	e2e.WriteFile(t, script, "#!/bin/sh\necho $PAM_TYPE $(readlink /proc/self/ns/net) >>"+log+"\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	line := "session required pam_exec.so " + script + "\n"
	at := strings.LastIndex(string(text), "session required "+e2e.PAMModule)
	e2e.WriteFile(t, e2e.PAMService, string(text[:at])+line+string(text[at:]))
	e2e.PAMSSH(t, u, "true")
	own := e2e.OnHost(t, "readlink", "/proc/self/ns/net")
	want := "open_session " + own + "\nclose_session " + own + "\n"
	e2e.Eventually(t, "the session is closed", func() bool { got, _ := os.ReadFile(log); return strings.Count(string(got), "\n") == 2 })
	if got, _ := os.ReadFile(log); string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// What sshd does as root while it is in the user's network asks nobody there: a container that
// answers as a name server or a directory server learns nothing, and says nothing.
func TestRootAsksNobodyInTheContainer(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	e2e.RestoreFile(t, "/etc/resolv.conf")
	e2e.WriteFile(t, "/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
	e2e.CanLogIn(t, u)
	one := process1(t, u)
	var asked atomic.Int32
	var dns net.PacketConn
	var ldap net.Listener
	inNetwork(t, one, func() {
		var err1, err2 error
		dns, err1 = net.ListenPacket("udp", "127.0.0.1:53")
		ldap, err2 = net.Listen("tcp", "127.0.0.1:389")
		if err := errors.Join(err1, err2); err != nil {
			t.Error(err)
		}
	})
	if t.Failed() {
		return
	}
	t.Cleanup(func() { dns.Close(); ldap.Close() })
	go func() {
		for buf := make([]byte, 512); ; asked.Add(1) {
			if _, _, err := dns.ReadFrom(buf); err != nil {
				return
			}
		}
	}()
	go func() {
		for ; ; asked.Add(1) {
			if _, err := ldap.Accept(); err != nil {
				return
			}
		}
	}()
	c := e2e.NewConsole(t, 24, 80, e2e.PAMArgv(u, "-tt", "127.0.0.1")...)
	c.FirstPrompt()
	c.Line("exit")
	c.Wait()
	l, d := freePort(), freePort()
	connect(t, u, "-L", l+":127.0.0.1:1", "-D", d)
	_ = word(dial(l))
	_ = word(socks(d, "1"))
	if n := asked.Load(); n != 0 {
		t.Errorf("root asked %d times in the user's network", n)
	}
	// The listeners are where a question would be seen: names of forwards are asked there.
	named := freePort()
	connect(t, u, "-L", named+":somewhere.example:1")
	_ = word(dial(named))
	e2e.Eventually(t, "sshd asks for the name of a forward", func() bool { return asked.Load() > 0 })
}
