package forward

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const listenArg = "listen"

// TestMain is also another process, which answers at a socket.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == listenArg {
		l, err := net.Listen("unix", os.Args[2])
		if err != nil {
			panic(err)
		}
		_, _ = os.Stdout.WriteString("x")
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c) }()
		}
	}
	os.Exit(m.Run())
}

// limit is how long anything may take.
const limit = 10 * time.Second

// listen returns a listening socket and its descriptor.
func listen(t *testing.T) (path string, l *net.UnixListener, fd int) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	fd = int(f.Fd())
	_ = unix.SetNonblock(fd, true) // Fd made it block
	t.Cleanup(func() { _, _ = l.Close(), f.Close() })
	return path, l, fd
}

// agent answers each connection with what it says, in capitals, and ends when that ends.
func agent(t *testing.T) (path string) {
	t.Helper()
	path, l, _ := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				buf := make([]byte, 100)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					_, _ = c.Write([]byte(strings.ToUpper(string(buf[:n]))))
				}
			}()
		}
	}()
	return path
}

// serve serves a listener until the test ends; served is closed when Serve returns.
func serve(t *testing.T, agent string) (path string, l *net.UnixListener, served chan struct{}) {
	t.Helper()
	path, l, fd := listen(t)
	served = make(chan struct{})
	go func() { Serve(fd, agent); close(served) }()
	t.Cleanup(func() {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR)
		await(t, served)
	})
	return path, l, served
}

func await(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(limit):
		t.Error("it goes on")
	}
}

func dial(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(limit))
	return c
}

// ask sends a question and returns the answer.
func ask(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, len(text))
	if _, err := io.ReadFull(c, buf); err != nil {
		t.Fatal(err)
	}
	return string(buf)
}

func TestQuestionsAreAnswered(t *testing.T) {
	path, _, _ := serve(t, agent(t))
	first, second := dial(t, path), dial(t, path)
	if got := ask(t, first, "one") + ask(t, second, "two") + ask(t, first, "three"); got != "ONETWOTHREE" {
		t.Errorf("%q", got)
	}
	// What was asked before the end of the questions is still answered.
	if _, err := io.WriteString(first, "last"); err != nil {
		t.Fatal(err)
	}
	_ = first.CloseWrite()
	if got, err := io.ReadAll(first); string(got) != "LAST" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSlowReaderLosesNothing(t *testing.T) {
	path, _, _ := serve(t, agent(t))
	c := dial(t, path)
	const size = 1 << 20
	go func() {
		_, _ = c.Write([]byte(strings.Repeat("x", size)))
		_ = c.CloseWrite()
	}()
	time.Sleep(50 * time.Millisecond)
	got, err := io.ReadAll(c)
	if err != nil || len(got) != size || strings.Trim(string(got), "X") != "" {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestConnectionsBeyondTheLimitWait(t *testing.T) {
	path, _, _ := serve(t, agent(t))
	idle := make([]*net.UnixConn, maxConnections)
	for i := range idle {
		idle[i] = dial(t, path)
		ask(t, idle[i], "x")
	}
	late := dial(t, path)
	if _, err := io.WriteString(late, "late"); err != nil {
		t.Fatal(err)
	}
	_ = late.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := late.Read(make([]byte, 4)); err == nil {
		t.Errorf("answered with %d bytes", n)
	}
	idle[7].Close()
	_ = late.SetReadDeadline(time.Now().Add(limit))
	if _, err := io.ReadFull(late, make([]byte, 4)); err != nil {
		t.Error(err)
	}
}

func TestConnectionEndsWhereThereIsNoAgent(t *testing.T) {
	path, _, _ := serve(t, "/none/such")
	c := dial(t, path)
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes", n)
	}
}

// An environment can name any socket of the user's: those of systemd, D-Bus, another agent.
func TestSocketOfAnotherProcessIsNotServed(t *testing.T) {
	other := filepath.Join(t.TempDir(), "s")
	cmd := exec.Command("/proc/self/exe", listenArg, other)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	ask(t, dial(t, other), "it answers")
	path, _, _ := serve(t, other)
	c := dial(t, path)
	_, _ = io.WriteString(c, "x")
	if n, err := c.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes", n)
	}
}

func TestServingEndsWithTheListener(t *testing.T) {
	for _, how := range []int{unix.SHUT_RD, unix.SHUT_RDWR} {
		_, l, served := serve(t, agent(t))
		raw, err := l.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), how) })
		await(t, served)
	}
}

// The container has the listening socket too: it can take the connection that was there a
// moment ago, and let the next accept(2) wait.
func TestListenerMayBlockAtAnyMoment(t *testing.T) {
	path, l, _ := serve(t, agent(t))
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				_ = raw.Control(func(fd uintptr) { _ = unix.SetNonblock(int(fd), i%2 == 0) })
				time.Sleep(time.Millisecond / 10)
			}
		}
	}()
	for range 200 {
		c := dial(t, path)
		if got := ask(t, c, "x"); got != "X" {
			t.Fatalf("%q", got)
		}
		c.Close()
	}
	close(stop)
	<-stopped
	_ = raw.Control(func(fd uintptr) { _ = unix.SetNonblock(int(fd), true) })
}

func TestDescriptorsThatAreSentAlongDoNotStay(t *testing.T) {
	path, _, _ := serve(t, agent(t))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := dial(t, path)
	if _, _, err := c.WriteMsgUnix([]byte("x"), unix.UnixRights(int(w.Fd())), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	w.Close()
	_ = r.SetReadDeadline(time.Now().Add(limit))
	if n, err := r.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("somebody has the pipe: %d, %v", n, err)
	}
}

func TestSocketOfTheSSHAgentIsTheUsersOwn(t *testing.T) {
	path, _, _ := listen(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	me := os.Geteuid()
	for _, c := range []struct {
		env  []string
		euid int
		want string
	}{
		{[]string{"SSH_AUTH_SOCK=" + path, "SSH_CONNECTION=x"}, me, path},
		{[]string{"SSH_AUTH_SOCK=" + path}, me, ""}, // no session of sshd
		{[]string{"SSH_AUTH_SOCK=" + path, "SSH_CONNECTION=x"}, me + 1, ""},
		{[]string{"SSH_AUTH_SOCK=" + file, "SSH_CONNECTION=x"}, me, ""},
		{[]string{"SSH_AUTH_SOCK=forward_test.go", "SSH_CONNECTION=x"}, me, ""},
		{[]string{"SSH_AUTH_SOCK=/none/such", "SSH_CONNECTION=x"}, me, ""},
		{[]string{"SSH_CONNECTION=x"}, me, ""},
	} {
		if got := SSHAgent(c.env, c.euid); got != c.want {
			t.Errorf("%q for %d: %q", c.env, c.euid, got)
		}
	}
}
