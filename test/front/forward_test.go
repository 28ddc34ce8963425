package front_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// otherAgent is another process that listens at a socket and answers as an ssh agent does.
func otherAgent() {
	l, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println("listening")
	serveUpper(l)
}

// listen returns a listening socket.
func listen(t *testing.T) (path string, l *net.UnixListener) {
	t.Helper()
	path = filepath.Join(tempDir(t), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return path, l
}

// serveUpper answers each connection with what it writes, in capitals, and ends when that ends.
func serveUpper(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 1000)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if _, err := c.Write([]byte(strings.ToUpper(string(buf[:n])))); err != nil {
					return
				}
			}
		}()
	}
}

// upper returns the path of a socket of this process that answers so: this process is an
// ancestor of the program, as sshd is.
func upper(t *testing.T) string {
	t.Helper()
	path, l := listen(t)
	go serveUpper(l)
	return path
}

// forwarding returns a session that has a socket for the ssh agent at path, and that socket.
func forwarding(t *testing.T, path string) (s *session, inside string, l *net.UnixListener) {
	t.Helper()
	s = begin(t, how{env: []string{"SSH_CONNECTION=x", "SSH_AUTH_SOCK=" + path}}, &wire.Ready{SSHAgent: true})
	if !s.start.SSHAgent {
		t.Fatalf("no socket is asked for: %+v", s.start)
	}
	inside, l = listen(t)
	withFd(t, l, func(fd int) { s.started(&wire.Started{SSHAgent: true}, fd) })
	return s, inside, l
}

// withFd calls do with the descriptor of a listening socket.
func withFd(t *testing.T, l *net.UnixListener, do func(fd int)) {
	t.Helper()
	raw, err := l.SyscallConn()
	must(t, err)
	must(t, raw.Control(func(fd uintptr) { do(int(fd)) }))
}

func dial(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(limit))
	return c
}

// ask sends a question and returns the answer.
func ask(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	_, err := io.WriteString(c, text)
	must(t, err)
	buf := make([]byte, len(text))
	_, err = io.ReadFull(c, buf)
	must(t, err)
	return string(buf)
}

// unanswered fails the test if a connection gets an answer.
func unanswered(t *testing.T, c net.Conn) {
	t.Helper()
	_, _ = io.WriteString(c, "x")
	if n, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestQuestionsToTheSSHAgentAreAnswered(t *testing.T) {
	t.Parallel()
	s, path, _ := forwarding(t, upper(t))
	first, second := dial(t, path), dial(t, path)
	if got := ask(t, first, "one") + ask(t, second, "two") + ask(t, first, "three"); got != "ONETWOTHREE" {
		t.Errorf("%q", got)
	}
	// What was asked before the end of the questions is still answered.
	_, err := io.WriteString(first, "last")
	must(t, err)
	_ = first.CloseWrite()
	if got, err := io.ReadAll(first); string(got) != "LAST" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	s.idles()
	s.ends(&wire.Exit{Status: 8 << 8})
	s.exits(8) // with a connection that goes on
	if n, err := second.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes", n)
	}
}

func TestSlowReaderOfTheSSHAgentLosesNothing(t *testing.T) {
	t.Parallel()
	s, path, _ := forwarding(t, upper(t))
	c := dial(t, path)
	const size = 1 << 20
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = c.Write([]byte(strings.Repeat("x", size)))
		_ = c.CloseWrite()
	}()
	// It is stuck before anything is read.
	ready := time.NewTimer(50 * time.Millisecond)
	select {
	case <-written:
		t.Error("there is more room than a connection should have")
	case <-ready.C:
	}
	got, err := io.ReadAll(c)
	if err != nil || len(got) != size || strings.Trim(string(got), "X") != "" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	t.Parallel()
	s, path, _ := forwarding(t, upper(t))
	idle := make([]*net.UnixConn, 64)
	for i := range idle {
		idle[i] = dial(t, path)
		ask(t, idle[i], "x")
	}
	late := dial(t, path)
	_, err := io.WriteString(late, "late")
	must(t, err)
	_ = late.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := late.Read(make([]byte, 4)); err == nil {
		t.Errorf("answered with %d bytes", n)
	}
	s.idles()
	idle[7].Close()
	_ = late.SetReadDeadline(time.Now().Add(limit))
	if _, err := io.ReadFull(late, make([]byte, 4)); err != nil {
		t.Error(err)
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

// A program may ask many times, one after the other.
func TestConnectionsThatEndLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	s, path, _ := forwarding(t, upper(t))
	ask(t, dial(t, path), "first")
	for range 100 {
		c := dial(t, path)
		if got := ask(t, c, "x"); got != "X" {
			t.Fatalf("%q", got)
		}
		c.Close()
	}
	until(t, "few descriptors are open", func() bool {
		all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.pid))
		return err == nil && len(all) < 30
	})
	s.ends(&wire.Exit{})
	s.exits(0)
}

func TestConnectionEndsWhereThereIsNoSSHAgent(t *testing.T) {
	t.Parallel()
	path, l := listen(t)
	s, inside, _ := forwarding(t, path)
	l.Close()
	unanswered(t, dial(t, inside))
	_ = os.Remove(path)
	unanswered(t, dial(t, inside))
	must(t, os.Symlink("/nonexistent", path))
	unanswered(t, dial(t, inside))
	s.ends(&wire.Exit{})
	s.exits(0)
}

// An environment can name any socket of the user's: those of systemd, D-Bus, another agent.
func TestSocketOfAnotherProcessIsNotServed(t *testing.T) {
	t.Parallel()
	other := filepath.Join(tempDir(t), "s")
	r, w := pipe(t)
	p, err := os.StartProcess("/proc/self/exe", []string{"other-agent", other}, &os.ProcAttr{Files: []*os.File{nil, w, os.Stderr}})
	must(t, err)
	t.Cleanup(func() { _ = p.Kill(); _, _ = p.Wait() })
	if got := readText(t, r); got != "listening\n" {
		t.Fatalf("%q", got)
	}
	ask(t, dial(t, other), "it answers")
	s, inside, _ := forwarding(t, other)
	unanswered(t, dial(t, inside))
	s.ends(&wire.Exit{})
	s.exits(0)
}

// The container has the listening socket too.
func TestContainerCannotHoldUpTheProgramByTheSocket(t *testing.T) {
	t.Parallel()
	for _, how := range []int{unix.SHUT_RD, unix.SHUT_RDWR} {
		s, path, l := forwarding(t, upper(t))
		withFd(t, l, func(fd int) { must(t, unix.Shutdown(fd, how)) })
		_, _ = net.Dial("unix", path)
		s.idles()
		s.ends(&wire.Exit{Status: 3 << 8})
		s.exits(3)
	}
	// It takes connections itself, and lets the next accept(2) wait.
	s, path, l := forwarding(t, upper(t))
	for i := range 100 {
		withFd(t, l, func(fd int) { must(t, unix.SetNonblock(fd, i%2 == 0)) })
		c := dial(t, path)
		if i%3 != 0 {
			withFd(t, l, func(fd int) {
				must(t, unix.SetNonblock(fd, true))
				if taken, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC); err == nil {
					_ = unix.Close(taken)
				}
				must(t, unix.SetNonblock(fd, false))
			})
		}
		_, _ = io.WriteString(c, "x")
		_, _ = c.Read(make([]byte, 1)) // an answer, or the end
		c.Close()
	}
	s.signalsWork()
	s.ends(&wire.Exit{Status: 3 << 8})
	s.exits(3)
}

// signalsWork fails the test if the program does not pass signals on.
func (s *session) signalsWork() {
	s.t.Helper()
	s.signal(unix.SIGUSR1)
	s.expectSignal(unix.SIGUSR1)
}

func TestListenerMayBlockAtAnyMoment(t *testing.T) {
	t.Parallel()
	s, path, l := forwarding(t, upper(t))
	for i := range 100 {
		withFd(t, l, func(fd int) { _ = unix.SetNonblock(fd, i%2 == 0) })
		c := dial(t, path)
		if got := ask(t, c, "x"); got != "X" {
			t.Fatalf("%q", got)
		}
		withFd(t, l, func(fd int) { _ = unix.SetNonblock(fd, i%3 == 0) })
		c.Close()
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

func TestDescriptorsThatAreSentAlongDoNotStay(t *testing.T) {
	t.Parallel()
	s, path, _ := forwarding(t, upper(t))
	r, w := pipe(t)
	c := dial(t, path)
	_, _, err := c.WriteMsgUnix([]byte("x"), unix.UnixRights(int(w.Fd())), nil)
	must(t, err)
	_, err = io.ReadFull(c, make([]byte, 1))
	must(t, err)
	w.Close()
	_ = r.SetReadDeadline(time.Now().Add(limit))
	if n, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("somebody has the pipe: %d, %v", n, err)
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

// otherUsers returns a socket that belongs to another user than the test's.
func otherUsers(t *testing.T) string {
	t.Helper()
	path := upper(t)
	must(t, os.Chown(path, nobody, nobody))
	return path
}

func TestSocketOfTheSSHAgentIsTheUsersOwn(t *testing.T) {
	t.Parallel()
	path := upper(t)
	file := filepath.Join(tempDir(t), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	link := filepath.Join(tempDir(t), "link")
	must(t, os.Symlink(path, link))
	cases := []struct {
		env   []string
		ready bool
		want  bool
	}{
		{[]string{"SSH_AUTH_SOCK=" + path, "SSH_CONNECTION=x"}, true, true},
		{[]string{"SSH_AUTH_SOCK=" + link, "SSH_CONNECTION=x"}, true, true},
		{[]string{"SSH_AUTH_SOCK=" + path, "SSH_CONNECTION=x"}, false, false},
		{[]string{"SSH_AUTH_SOCK=" + path}, true, false}, // no session of sshd
		{[]string{"SSH_AUTH_SOCK=" + path, "SSH_CONNECTION="}, true, false},
		{[]string{"SSH_AUTH_SOCK=" + file, "SSH_CONNECTION=x"}, true, false},
		{[]string{"SSH_AUTH_SOCK=" + filepath.Base(path), "SSH_CONNECTION=x"}, true, false},
		{[]string{"SSH_AUTH_SOCK=/none/such", "SSH_CONNECTION=x"}, true, false},
		{[]string{"SSH_AUTH_SOCK=/" + strings.Repeat("x/", 3000), "SSH_CONNECTION=x"}, true, false},
		{[]string{"SSH_CONNECTION=x"}, true, false},
	}
	if os.Geteuid() == 0 {
		cases = append(cases, cases[0])
		cases[len(cases)-1].env = []string{"SSH_AUTH_SOCK=" + otherUsers(t), "SSH_CONNECTION=x"}
		cases[len(cases)-1].want = false
	}
	for _, c := range cases {
		s := begin(t, how{argv: []string{"dockersh", "-c", "id"}, env: c.env}, &wire.Ready{SSHAgent: c.ready})
		if s.start.SSHAgent != c.want {
			t.Errorf("%.100q: %v", c.env, s.start.SSHAgent)
		}
		s.finish()
		if got := s.errors.whole(t); got != "" {
			t.Errorf("%.100q: %q", c.env, got)
		}
	}
}

func TestSessionDoesWithoutAnSSHAgentThatIsNone(t *testing.T) {
	t.Parallel()
	socket := func(domain, kind int, listen bool) int {
		t.Helper()
		fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		t.Cleanup(func() { _ = unix.Close(fd) })
		if listen {
			var at unix.Sockaddr = &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
			if domain == unix.AF_UNIX {
				at = &unix.SockaddrUnix{Name: filepath.Join(tempDir(t), "s")}
			}
			must(t, unix.Bind(fd, at))
			must(t, unix.Listen(fd, 1))
		}
		return fd
	}
	r, _ := pipe(t)
	_, connected := socketpair(t, unix.SOCK_STREAM)
	path := upper(t)
	for what, fd := range map[string]int{
		"a file": int(open(t, "/etc/passwd", os.O_RDONLY).Fd()), "a pipe": int(r.Fd()), "a connected socket": int(connected.Fd()),
		"a socket of the network": socket(unix.AF_INET, unix.SOCK_STREAM, true), "a socket that does not listen": socket(unix.AF_UNIX, unix.SOCK_STREAM, false),
		"a socket of datagrams": socket(unix.AF_UNIX, unix.SOCK_DGRAM, false), "a listening socket of packets": socket(unix.AF_UNIX, unix.SOCK_SEQPACKET, true),
		"nothing": -1,
	} {
		for _, onTerminal := range []bool{false, true} {
			h := how{env: []string{"SSH_CONNECTION=x", "SSH_AUTH_SOCK=" + path}}
			if onTerminal {
				_, h.stdin = terminal(t)
				h.stdout = h.stdin
			}
			s := begin(t, h, &wire.Ready{SSHAgent: true})
			if fd < 0 {
				s.started(&wire.Started{})
			} else {
				s.started(&wire.Started{SSHAgent: true}, fd)
			}
			s.ends(&wire.Exit{Status: 4 << 8})
			s.exits(4)
			want := ""
			if onTerminal {
				want = "dockersh: your ssh agent is not forwarded into this container\n"
			}
			if got := s.errors.whole(t); got != want {
				t.Errorf("%s, %v: %q", what, onTerminal, got)
			}
		}
	}
}

func TestUserOfATerminalLearnsWhatIsNotForwarded(t *testing.T) {
	t.Parallel()
	const noAgent, noX11 = "dockersh: your ssh agent is not forwarded into this container\n", "dockersh: X11 is not forwarded into this container\n"
	path := upper(t)
	env := []string{"SSH_CONNECTION=x", "SSH_AUTH_SOCK=" + path, "DISPLAY=localhost:10.0"}
	for _, c := range []struct {
		env     []string
		argv    []string
		plain   bool
		ready   wire.Ready
		started wire.Started
		want    string
	}{
		{env, nil, false, wire.Ready{}, wire.Started{}, noAgent + noX11},
		{env, nil, false, wire.Ready{}, wire.Started{Notice: "first"}, "dockersh: first\n" + noAgent + noX11},
		{env, nil, false, wire.Ready{X11: true}, wire.Started{X11: true}, noAgent},
		{env[:2], nil, false, wire.Ready{}, wire.Started{}, noAgent},
		{env[:1], nil, false, wire.Ready{}, wire.Started{}, ""},
		{env[1:], nil, false, wire.Ready{}, wire.Started{}, ""},
		{env, []string{"dockersh", "-c", "id"}, false, wire.Ready{}, wire.Started{}, ""},
		{env, nil, true, wire.Ready{}, wire.Started{}, ""},
	} {
		h := how{env: c.env, argv: c.argv}
		if !c.plain {
			_, h.stdin = terminal(t)
			h.stdout = h.stdin
		}
		s := begin(t, h, &c.ready)
		s.started(&c.started)
		s.ends(&wire.Exit{})
		s.exits(0)
		if got := s.errors.whole(t); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
