package agentclient

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// connect returns a connection, and its other end for the test to play the agent.
func connect(t *testing.T) (Conn, channel.Conn) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	client, err := New(pair[0])
	if err != nil {
		t.Fatal(err)
	}
	agent, err := channel.New(pair[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = client.Close(), agent.Close() })
	client.Within(10 * time.Second)
	agent.Within(10 * time.Second)
	return client, agent
}

// An agent is a program of whoever is in the container.
func TestUnexpectedAnswersOfAnAgentAreErrors(t *testing.T) {
	file, err := os.Open("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	master, slave, err := tty.Open()
	if err != nil {
		t.Fatal(err)
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer seqpacket.CloseAll([]int{master, slave, pipe[0], pipe[1]})
	plain, terminal := &wire.Start{Path: "/bin/sh", Argv: []string{"sh"}}, &wire.Start{Terminal: true, Path: "/bin/sh", Argv: []string{"sh"}}
	for what, c := range map[string]struct {
		ask    *wire.Start
		answer func(channel.Conn) error
		silent bool
	}{
		"a file for a master":          {terminal, func(c channel.Conn) error { return c.Send(&wire.Started{Terminal: true}, int(file.Fd())) }, false},
		"a slave for a master":         {terminal, func(c channel.Conn) error { return c.Send(&wire.Started{Terminal: true}, slave) }, false},
		"a pipe":                       {terminal, func(c channel.Conn) error { return c.Send(&wire.Started{Terminal: true, Piped: true}, master, pipe[0]) }, false},
		"no terminal":                  {terminal, func(c channel.Conn) error { return c.Send(&wire.Started{}) }, false},
		"an unwanted ssh agent":        {plain, func(c channel.Conn) error { return c.Send(&wire.Started{SSHAgent: true}, slave) }, false},
		"an unwanted terminal":         {plain, func(c channel.Conn) error { return c.Send(&wire.Started{Terminal: true}, master) }, false},
		"a message out of order":       {plain, func(c channel.Conn) error { return c.Send(&wire.Exit{}) }, false},
		"bytes that are not a message": {plain, func(c channel.Conn) error { return c.Socket.Send([]byte("\xff")) }, false},
		"the end":                      {plain, func(c channel.Conn) error { return c.Close() }, true},
		"nothing":                      {plain, func(c channel.Conn) error { return nil }, true},
	} {
		client, agent := connect(t)
		before := descriptors(t)
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_, fds, _ := agent.Recv()
			seqpacket.CloseAll(fds)
			_ = c.answer(agent)
		}()
		if what == "nothing" {
			client.Within(20 * time.Millisecond)
		}
		stdio := []int{0, 1, 2}[:c.ask.FDs()]
		got, err := client.Start(c.ask, stdio...)
		<-answered
		var told *usererr.Error
		if c.silent != errors.Is(err, ErrSilent) || c.silent == errors.As(err, &told) || got != none {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
		if now := descriptors(t); now > before {
			t.Errorf("%s: %d descriptors stay open", what, now-before)
		}
	}
	client, agent := connect(t)
	if err := agent.Send(&wire.Exit{}); err != nil {
		t.Fatal(err)
	}
	if hello, err := client.Hello(); err == nil {
		t.Errorf("%+v", hello)
	}
}

// descriptors counts those that this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestTextOfAnAgentIsSafeToShow(t *testing.T) {
	client, agent := connect(t)
	if err := agent.Send(&wire.Error{Code: uint8(usererr.Busy), Text: "no \x1b[2J", Hint: "ask\n"}); err != nil {
		t.Fatal(err)
	}
	var told *usererr.Error
	if _, err := client.Start(&wire.Start{Terminal: true}); !errors.As(err, &told) || told.Code != usererr.Busy || told.Text != "no ?[2J" || told.Hint != "ask?" {
		t.Errorf("%+v", told)
	}
	if err := agent.Send(&wire.Started{Notice: "\a"}); err != nil {
		t.Fatal(err)
	}
	if s, err := client.Start(&wire.Start{}, 0, 1, 2); s.Notice != "?" || err != nil {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestExitArrivesAlthoughASignalWasNotRead(t *testing.T) {
	client, agent := connect(t)
	if err := client.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := agent.Send(&wire.Exit{Status: 7 << 8}); err != nil {
		t.Fatal(err)
	}
	_ = agent.Close()
	if exit := client.Exit(); exit == nil || exit.Status != 7<<8 {
		t.Errorf("%+v", exit)
	}
	if exit := client.Exit(); exit != nil {
		t.Errorf("%+v", exit)
	}
}

func TestAgentReportsItsProcesses(t *testing.T) {
	for what, c := range map[string]struct {
		answers []wire.Message
		n       uint32
		fails   bool
	}{
		"three":                   {[]wire.Message{&wire.Hello{}, &wire.Processes{Others: 3}}, 3, false},
		"none":                    {[]wire.Message{&wire.Hello{}, &wire.Processes{}}, 0, false},
		"not an answer":           {[]wire.Message{&wire.Hello{}, &wire.Exit{}}, 0, true},
		"nothing after the hello": {[]wire.Message{&wire.Hello{}}, 0, true},
		"nothing":                 {nil, 0, true},
	} {
		client, agent := connect(t)
		for _, m := range c.answers {
			if err := agent.Send(m); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := client.CountProcesses(); n != c.n || (err != nil) != c.fails {
			t.Errorf("%s: %d, %v", what, n, err)
		}
	}
}

func TestSessionDoesWithoutAnSSHAgentThatIsNone(t *testing.T) {
	socket := func(domain, kind int, listen bool) int {
		t.Helper()
		fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, 0)
		if err == nil && listen {
			var at unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
			if domain == unix.AF_UNIX {
				at = &unix.SockaddrUnix{Name: t.TempDir() + "/s"}
			}
			if err = unix.Bind(fd, at); err == nil {
				err = unix.Listen(fd, 1)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file, err := unix.Open("/etc/passwd", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		fd int
		ok bool
	}{
		"a file":                        {file, false},
		"a pipe":                        {pipe[0], false},
		"a connected socket":            {pair[0], false},
		"a socket of the network":       {socket(unix.AF_INET, unix.SOCK_STREAM, true), false},
		"a socket that does not listen": {socket(unix.AF_UNIX, unix.SOCK_STREAM, false), false},
		"a socket of datagrams":         {socket(unix.AF_UNIX, unix.SOCK_DGRAM, false), false},
		"a listening socket of packets": {socket(unix.AF_UNIX, unix.SOCK_SEQPACKET, true), false},
		"a listening unix stream":       {socket(unix.AF_UNIX, unix.SOCK_STREAM, true), true},
	} {
		client, agent := connect(t)
		if err := agent.Send(&wire.Started{SSHAgent: true}, c.fd); err != nil {
			t.Fatal(err)
		}
		s, err := client.Start(&wire.Start{Path: "/bin/sh", Argv: []string{"sh"}, SSHAgent: true, Inherited: &wire.Inherited{}}, 0, 1, 2)
		if err != nil || s.Master != -1 || (s.SSHAgent >= 0) != c.ok {
			t.Errorf("%s: %+v, %v", what, s, err)
		}
	}
	// An agent may have no place for the socket.
	client, agent := connect(t)
	if err := agent.Send(&wire.Started{}); err != nil {
		t.Fatal(err)
	}
	if s, err := client.Start(&wire.Start{SSHAgent: true, Inherited: &wire.Inherited{}}, 0, 1, 2); err != nil || s.SSHAgent != -1 {
		t.Errorf("%+v, %v", s, err)
	}
}
