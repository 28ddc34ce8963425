package agent

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// startWithSSHAgent starts a session that waits for the end of its input, and returns its
// socket for the ssh agent: the path inside, and the descriptor.
func startWithSSHAgent(t *testing.T, c channel.Conn) (path string, fd int, stdin *os.File) {
	t.Helper()
	r0, w0, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p, out := pipes(t)
	m := start(`printf "$SSH_AUTH_SOCK"; exec >/dev/null 2>&1; cat`)
	m.SSHAgent, m.Inherited = true, &wire.Inherited{Limits: limits.Own()}
	if err := c.Send(m, int(r0.Fd()), int(p[1].Fd()), int(p[2].Fd())); err != nil {
		t.Fatal(err)
	}
	got, fds, err := c.Recv()
	if err != nil {
		t.Fatal(err)
	}
	started, ok := got.(*wire.Started)
	if !ok || !started.SSHAgent || len(fds) != 1 {
		t.Fatalf("got %#v %v", got, fds)
	}
	_, _ = r0.Close(), p[1].Close()
	_ = out.SetReadDeadline(time.Now().Add(5 * time.Second))
	name, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		seqpacket.CloseAll(fds)
		_, _ = w0.Close(), c.Close()
		awaitGone(t, filepath.Dir(string(name)))
	})
	return string(name), fds[0], w0
}

// awaitGone waits until there is nothing at path.
func awaitGone(t *testing.T, path string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Lstat(path); os.IsNotExist(err) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s stays", path)
		}
	}
}

func TestSocketForTheSSHAgentIsTheSessionsOwn(t *testing.T) {
	unix.Umask(0o777)
	defer unix.Umask(0o022)
	dial := agent(t)
	unix.Umask(0o022)
	c := dial()
	path, fd, stdin := startWithSSHAgent(t, c)
	other, _, _ := startWithSSHAgent(t, dial())
	if filepath.Dir(path) == filepath.Dir(other) {
		t.Errorf("two sessions share %s", path)
	}
	for name, want := range map[string]os.FileMode{filepath.Dir(path): os.ModeDir | 0o700, path: os.ModeSocket | 0o600} {
		if info, err := os.Lstat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	client, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(client) }()
	if err := unix.Connect(client, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	accepted, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(accepted)
	stdin.Close()
	if exit, ok := next(t, c).(*wire.Exit); !ok || exit.Status != 0 {
		t.Errorf("got %#v", exit)
	}
	_ = c.Close()
	awaitGone(t, filepath.Dir(path))
	if _, err := os.Lstat(other); err != nil {
		t.Errorf("the other session's: %v", err)
	}
}

func TestNothingStaysOfASessionThatDidNotStart(t *testing.T) {
	// Those of sshd and of other programs have other names.
	sockets := func() (all []string) {
		for _, place := range []string{"/run/user/" + strconv.Itoa(os.Getuid()), "/tmp"} {
			some, _ := filepath.Glob(place + "/" + dirPattern + "*/" + socketName)
			all = append(all, some...)
		}
		return all
	}
	before := sockets()
	c := agent(t)()
	p, _ := pipes(t)
	m := start("true")
	m.Path, m.SSHAgent, m.Inherited = "/bin/none", true, &wire.Inherited{Limits: limits.Own()}
	if got := ask(t, c, m, int(p[0].Fd()), int(p[1].Fd()), int(p[2].Fd())); got.Kind() != wire.KindError {
		t.Errorf("got %#v", got)
	}
	_, _, _ = c.Recv() // the end comes after that
	if now := sockets(); !slices.Equal(now, before) {
		t.Errorf("%q", now)
	}
}

func TestSocketsGoWithTheContainer(t *testing.T) {
	dirs := &sessionDirs{}
	d := &sessionDir{all: dirs}
	fd, path, err := d.listen(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(fd)
	dirs.removeAll()
	awaitGone(t, filepath.Dir(path))
}

func TestSessionWithoutAnSSHAgentHasNoVariable(t *testing.T) {
	if out, _ := shell(t, agent(t)(), `echo ${SSH_AUTH_SOCK-none}`); strings.TrimSpace(out) != "none" {
		t.Errorf("%q", out)
	}
}

func TestDisplayHasItsCookies(t *testing.T) {
	c := agent(t)()
	p, out := pipes(t)
	m := start(`stat -c %a "$XAUTHORITY"; cat "$XAUTHORITY"; echo "$DISPLAY"; echo "$XAUTHORITY"`)
	m.Display, m.Cookies, m.Inherited = "localhost:10.0", []byte("cookies\n"), &wire.Inherited{Limits: limits.Own()}
	got := ask(t, c, m, int(p[0].Fd()), int(p[1].Fd()), int(p[2].Fd()))
	if s, ok := got.(*wire.Started); !ok || !s.X11 || s.SSHAgent {
		t.Errorf("got %#v", got)
	}
	_, _ = p[0].Close(), p[1].Close()
	_ = out.SetReadDeadline(time.Now().Add(5 * time.Second))
	text, err := io.ReadAll(out)
	path, ok := strings.CutPrefix(string(text), "600\ncookies\nlocalhost:10.0\n")
	if !ok || err != nil {
		t.Fatalf("%q, %v", text, err)
	}
	_ = c.Close()
	awaitGone(t, filepath.Dir(path))
}

func TestAllOfASessionIsInOneDirectory(t *testing.T) {
	d := &sessionDir{all: &sessionDirs{}}
	fd, socket, err := d.listen("/none")
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(fd)
	cookies, err := d.writeCookies([]byte("x"), "/none")
	if err != nil || filepath.Dir(cookies) != filepath.Dir(socket) {
		t.Errorf("%s and %s, %v", socket, cookies, err)
	}
	d.remove()
	awaitGone(t, filepath.Dir(socket))
}
