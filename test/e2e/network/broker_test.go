//go:build e2e

package network

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/test/e2e"
)

const socket = e2e.RunDir + "/dockershd.sock"

// reachesNothing checks that a connection reaches neither the host's loopback nor its addresses.
func reachesNothing(t *testing.T, u *e2e.Account) {
	t.Helper()
	onHost, l := hostListens(t, "host"), freePort()
	begun := time.Now()
	c := connect(t, u, "-L", l+":127.0.0.1:"+onHost)
	if got := word(dial(l)); got != "" {
		t.Errorf("it reached %q", got)
	}
	if took := time.Since(begun); took > 12*time.Second {
		t.Errorf("it took %v", took)
	}
	_ = c.Process.Kill()
}

func TestConnectionWithoutABrokerReachesNothing(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	back := e2e.Broker.Away(t, syscall.SIGTERM)
	reachesNothing(t, u)
	back()
	e2e.CanLogIn(t, u)
}

// In place of the broker something else answers, as root.
func TestConnectionReachesNothingWhateverTheBrokerSays(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	back := e2e.Broker.Away(t, syscall.SIGTERM)
	defer back()
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	own, err := os.Open("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	mounts, err := os.Open("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	defer mounts.Close()
	namespace, _ := wire.Encode(&wire.Joined{Outcome: wire.JoinNamespace})
	for what, answer := range map[string]func(c *seqpacket.Conn){
		"nothing":                     func(*seqpacket.Conn) {},
		"the end":                     func(c *seqpacket.Conn) { _ = c.Close() },
		"garbage":                     func(c *seqpacket.Conn) { _ = c.Send([]byte("\x13\x01\xff\xff\xff\xffgarbage")) },
		"no descriptor":               func(c *seqpacket.Conn) { _ = c.Send(namespace) },
		"two descriptors":             func(c *seqpacket.Conn) { _ = c.Send(namespace, int(own.Fd()), int(null.Fd())) },
		"no namespace":                func(c *seqpacket.Conn) { _ = c.Send(namespace, int(null.Fd())) },
		"a namespace of mounts":       func(c *seqpacket.Conn) { _ = c.Send(namespace, int(mounts.Fd())) },
		"the network of the host":     func(c *seqpacket.Conn) { _ = c.Send(namespace, int(own.Fd())) },
		"another outcome":             func(c *seqpacket.Conn) { _ = c.Send([]byte{19, 3, 0, 0, 0, 0}) },
		"a message for somebody else": func(c *seqpacket.Conn) { _ = channel.Conn{Socket: c}.Send(&wire.HostShell{Shell: "/bin/sh"}) },
	} {
		t.Run(what, func(t *testing.T) {
			fd, err := seqpacket.Bind(socket, 0o666, 16)
			if err != nil {
				t.Fatal(err)
			}
			l, err := seqpacket.NewListener(fd)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			asked := make(chan wire.Message, 16)
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					defer c.Close()
					m, _, _ := channel.Conn{Socket: c}.Recv()
					asked <- m
					answer(c)
				}
			}()
			reachesNothing(t, u)
			if m, ok := (<-asked).(*wire.Join); !ok || m.User != u.Name || len(m.AuthInfo) == 0 {
				t.Errorf("the module asked %+v", m)
			}
		})
	}
	_ = os.Remove(socket)
}

func TestUsersCannotAskForANetwork(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	victim, u := e2e.NewUser(t), e2e.NewUser(t)
	e2e.CanLogIn(t, victim)
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the thread keeps the rights, and ends
		for _, id := range []uintptr{syscall.SYS_SETRESGID, syscall.SYS_SETRESUID} {
			if _, _, e := syscall.RawSyscall(id, uintptr(u.UID), uintptr(u.UID), uintptr(u.UID)); e != 0 {
				t.Error(e)
				return
			}
		}
		for _, name := range []string{victim.Name, u.Name, "root"} {
			raw, err := seqpacket.Dial(socket)
			if err != nil {
				t.Error(err)
				return
			}
			c := channel.Conn{Socket: raw}
			c.Within(e2e.Limit)
			if err := c.Send(&wire.Join{Version: wire.Version, User: name}); err != nil {
				t.Error(err)
			}
			m, fds, err := c.Recv()
			if _, ok := m.(*wire.Error); !ok || len(fds) > 0 {
				t.Errorf("as %s: %#v %v %v", name, m, fds, err)
			}
			_ = c.Close()
		}
	}()
	<-done
	if all, _ := filepath.Glob(e2e.RunDir + "/s/*="); len(all) > 0 {
		t.Errorf("%q", all)
	}
}

func TestConnectionEndsInTheStateOfTheBroker(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	entries := func() int {
		all, err := filepath.Glob(e2e.RunDir + "/s/*." + u.Name + "_dockersh=")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	c := connect(t, u)
	e2e.Eventually(t, "the connection has an entry", func() bool { return entries() == 1 })
	e2e.Broker.Restart(t, syscall.SIGKILL)
	if entries() != 1 {
		t.Error("the entry went with the broker")
	}
	_ = c.Process.Kill()
	e2e.Eventually(t, "the next broker removes it", func() bool { return entries() == 0 })
	c = connect(t, u)
	e2e.Eventually(t, "the connection has an entry", func() bool { return entries() == 1 })
	_ = unix.Kill(c.Process.Pid, unix.SIGKILL)
	e2e.Eventually(t, "the entry ends with the connection", func() bool { return entries() == 0 })
}
