//go:build e2e

package forward

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/test/e2e"
)

// hostileAgent is the argument with which this program is process 1 of a container, and takes
// the place of the agent.
const hostileAgent = "hostile-agent"

// instead are the descriptors that it hands over in place of a listening socket, and what it
// does with them meanwhile; by the command of the session.
var instead = map[string]func() int{
	"file":        func() int { fd, _ := unix.Open("/proc/self/status", unix.O_RDONLY, 0); return fd },
	"pipe":        func() int { var p [2]int; _ = unix.Pipe(p[:]); return p[0] },
	"connected":   func() int { p, _ := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); return p[0] },
	"network":     func() int { return bound(unix.AF_INET, unix.SOCK_STREAM) },
	"packets":     func() int { return bound(unix.AF_UNIX, unix.SOCK_SEQPACKET) },
	"lingering":   lingering,
	"full":        func() int { fd := bound(unix.AF_UNIX, unix.SOCK_STREAM); go connect(fd, false); return fd },
	"stolen":      func() int { fd := bound(unix.AF_UNIX, unix.SOCK_STREAM); go connect(fd, true); return fd },
	"shut down":   func() int { fd := bound(unix.AF_UNIX, unix.SOCK_STREAM); go shutDown(fd); return fd },
	"no question": func() int { return bound(unix.AF_UNIX, unix.SOCK_STREAM) },
}

// bound returns a listening socket.
func bound(domain, kind int) int {
	fd, _ := unix.Socket(domain, kind|unix.SOCK_NONBLOCK, 0)
	var at unix.Sockaddr = &unix.SockaddrInet4{}
	if domain == unix.AF_UNIX {
		at = &unix.SockaddrUnix{Name: "@" + strconv.FormatInt(time.Now().UnixNano(), 16)}
	}
	_ = unix.Bind(fd, at)
	_ = unix.Listen(fd, 1000)
	return fd
}

// connect connects again and again, and leaves that idle; or else it takes each connection
// itself and makes the socket block.
func connect(listener int, steal bool) {
	at, _ := unix.Getsockname(listener)
	for range 300 {
		fd, _ := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		_ = unix.Connect(fd, at)
		if steal {
			_ = unix.SetNonblock(listener, true)
			taken, _, _ := unix.Accept(listener)
			_ = unix.SetNonblock(listener, false)
			_, _ = unix.Close(fd), unix.Close(taken)
		}
	}
}

func shutDown(listener int) {
	time.Sleep(100 * time.Millisecond)
	_ = unix.Shutdown(listener, unix.SHUT_RDWR)
}

// lingering returns a socket that takes a minute to close: it has more to send than its peer
// takes.
func lingering() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return -1
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return -1
	}
	_ = c.(*net.TCPConn).SetLinger(60)
	_ = c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	_, _ = c.Write(make([]byte, 64<<20))
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		return -1
	}
	defer f.Close()
	_ = c.Close()
	fd, _ := unix.Dup(int(f.Fd()))
	return fd
}

func beHostileAgent() int {
	for {
		l, err := register()
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		for {
			c, err := l.Accept()
			if err != nil {
				return 1
			}
			go serve(channel.Conn{Socket: c})
		}
	}
}

// register takes the agent's socket from the broker.
func register() (*seqpacket.Listener, error) {
	raw, err := seqpacket.Dial("/.dockersh/run/start.sock")
	if err != nil {
		return nil, err
	}
	c := channel.Conn{Socket: raw}
	defer c.Close()
	if err := c.Send(&wire.Hello{Version: wire.AgentVersion}); err != nil {
		return nil, err
	}
	_, fds, err := c.Recv()
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("no socket: %v", err)
	}
	return seqpacket.NewListener(fds[0])
}

func serve(c channel.Conn) {
	_ = c.Send(&wire.Hello{Version: wire.AgentVersion})
	m, fds, err := c.Recv()
	start, ok := m.(*wire.Start)
	if err != nil || !ok {
		return
	}
	started := &wire.Started{Terminal: start.Terminal, SSHAgent: true}
	var pass []int
	if start.Terminal {
		master, slave, err := tty.Open()
		if err != nil {
			return
		}
		pass, fds = []int{master}, []int{slave, slave}
	}
	what := start.Argv[len(start.Argv)-1]
	if with, ok := instead[what]; ok {
		pass = append(pass, with())
	} else {
		started.SSHAgent = false
	}
	_ = c.Send(started, pass...)
	if what == "lingering" {
		seqpacket.CloseAll(pass[len(pass)-1:]) // nobody but the front has it now
	}
	time.Sleep(500 * time.Millisecond)
	_, _ = unix.Write(fds[1], []byte("said\n"))
	seqpacket.CloseAll(fds) // sshd waits until nobody has the pipes
	_ = c.Send(&wire.Exit{Status: 3 << 8})
	_, _, _ = c.Recv() // until the front is gone
	_ = c.Close()
}

func TestHostileAgentHoldsUpNothingButForwarding(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	e2e.StartSSHAgent(t)
	program := e2e.Scratch + "/hostile"
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "install", "-m", "755", self, program)
	u := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash",
		"volume = "+program+":/hostile:ro", "entrypoint = /hostile", "cmd = "+hostileAgent)
	e2e.MustCtl(t, "start", "--user", u.Name) // so that the terminal shows nothing of making the container
	for what := range instead {
		for newline, options := range map[string][]string{"\n": {"-A", "--"}, "\r\n": {"-A", "-tt", "--"}} {
			r := e2e.SSH(t, u, append(options, what)...)
			r.Want(t, "said"+newline, "", 3)
			if r.Took > 8*time.Second {
				t.Errorf("%s: it took %v", what, r.Took)
			}
		}
	}
}
