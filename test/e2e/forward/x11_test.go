//go:build e2e

package forward

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// startXServer starts as much of an X server as it takes to let a client in, for the ssh
// clients of the test.
func startXServer(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll("/tmp/.X11-unix", 0o1777); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", "/tmp/.X11-unix/X77")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := io.ReadFull(c, make([]byte, 12)); err == nil { // the client's first bytes, without its cookie
					_, _ = io.WriteString(c, "let in")
				}
			}()
		}
	}()
	t.Setenv("DISPLAY", ":77")
	t.Setenv("XAUTHORITY", t.TempDir()+"/none")
}

// xClient connects to $DISPLAY as an X client does, with the cookie from its file, and prints
// what the server says.
const xClient = `exec 3<>/dev/tcp/127.0.0.1/$((6000 + $(echo "$DISPLAY" | sed 's/.*:\([0-9]*\).*/\1/')))
printf 'l\0\13\0\0\0\22\0\20\0\0\0MIT-MAGIC-COOKIE-1\0\0' >&3
tail -c 16 "${XAUTHORITY:-$HOME/.Xauthority}" >&3
timeout 10 head -c 6 <&3`

// x11 returns the command line of a client that forwards X11 with an option, by the sshd with
// the PAM module.
func x11(u *e2e.Account, option string, args ...string) []string {
	return e2e.PAMArgv(u, append([]string{option, "127.0.0.1"}, args...)...)
}

// runX11 runs a command through that client, and returns its output. On stderr, xauth says of
// a first login that there is no file yet.
func runX11(t *testing.T, u *e2e.Account, command, option string) string {
	t.Helper()
	argv := x11(u, option, command)
	var errs strings.Builder
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil || strings.Contains(errs.String(), "request failed") {
		t.Errorf("%v: %s", err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// loopback6 adds an IPv6 loopback to a container that has none, as with Docker before 26:
// sshd listens for X11 at both loopbacks, or not at all.
const loopback6 = "dockeropt = --sysctl net.ipv6.conf.all.disable_ipv6=0"

// startXvfb starts a real X server with a screen of that size, for the ssh clients of the test.
func startXvfb(t *testing.T, size string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	auth := t.TempDir() + "/auth"
	e2e.OnHost(t, "xauth", "-q", "-f", auth, "add", ":78", ".", strings.Repeat("5a", 16))
	cmd := exec.Command("Xvfb", ":78", "-screen", "0", size+"x24", "-nolisten", "tcp", "-auth", auth, "+extension", "SECURITY", "-displayfd", "3")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	_ = r.SetReadDeadline(time.Now().Add(e2e.Limit))
	if number, err := io.ReadAll(r); string(number) != "78\n" {
		t.Fatalf("Xvfb: %q, %v", number, err)
	}
	t.Setenv("DISPLAY", ":78")
	t.Setenv("XAUTHORITY", auth)
}

// A program in the container shows the screen that the user has, trusted and untrusted.
func TestXClientReachesTheUsersScreen(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), "the PAM module asks the service alone")
	e2e.DockerImages.MakeImageWith(t, "dsh-x11", "/usr/bin/xdpyinfo")
	startXvfb(t, "1234x567")
	boxed := e2e.NewUser(t, "imagename = dsh-x11", loopback6)
	for name, u := range map[string]*e2e.Account{"bash": e2e.Plain, "dockersh": boxed} {
		for _, option := range []string{"-X", "-Y"} {
			t.Run(name+" "+option, func(t *testing.T) {
				out := runX11(t, u, "xdpyinfo", option)
				if !strings.Contains(out, "name of display:    localhost:1") || !strings.Contains(out, "1234x567 pixels") {
					t.Errorf("%q", out)
				}
			})
		}
	}
}

const noX11 = "dockersh: X11 is not forwarded into this container"

func TestX11IsForwardedThroughTheContainersNetwork(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), "the PAM module asks the service alone")
	if _, err := exec.LookPath("xauth"); err != nil {
		t.Skip("xauth is not installed")
	}
	startXServer(t)
	boxed := e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/bash", loopback6)
	for name, u := range map[string]*e2e.Account{"bash": e2e.Plain, "dockersh": boxed} {
		t.Run(name, func(t *testing.T) {
			if out := runX11(t, u, xClient, "-Y"); out != "let in" {
				t.Errorf("%q", out)
			}
			// The cookie proves that it is the user.
			wrong := strings.Replace(xClient, "tail -c 16", "printf x >&3; tail -c 15", 1)
			if out := runX11(t, u, wrong, "-Y"); out != "" {
				t.Errorf("with another cookie: %q", out)
			}
		})
	}
	u := e2e.NewUser(t, loopback6)
	out := runX11(t, u, `stat -c %a "$XAUTHORITY"; echo $DISPLAY; ls ~/.Xauthority /tmp/.X11-unix 2>&1 | grep -vc No; echo ${XAUTHORITY%/*}`, "-Y")
	lines := strings.Fields(out)
	if len(lines) != 4 || lines[0] != "600" || !strings.HasPrefix(lines[1], "localhost:1") || lines[2] != "0" {
		t.Fatalf("%q", out)
	}
	e2e.Eventually(t, "the cookies are removed", func() bool { return e2e.SSH(t, u, "ls -d "+lines[3]).Status != 0 })
}

func TestX11IsOffWhereItsListenerIsNotTheContainers(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), "the PAM module asks the service alone")
	if _, err := exec.LookPath("xauth"); err != nil {
		t.Skip("xauth is not installed")
	}
	startXServer(t)
	for _, lines := range [][]string{{"forwardx11 = false"}, {"containername = %u_%x", "ephemeral"},
		{"containername = shared-x11", "containerusername = root"}} {
		u := e2e.NewUser(t, append(lines, loopback6)...)
		if out := runX11(t, u, `echo "[$DISPLAY$XAUTHORITY]"`, "-Y"); out != "[]" {
			t.Errorf("%q: %q", lines, out)
		}
		argv := x11(u, "-Y")
		c := e2e.NewConsole(t, 24, 80, append([]string{argv[0], "-tt"}, argv[1:]...)...)
		c.FirstPrompt()
		if !strings.Contains(c.Shown(), noX11) {
			t.Errorf("%q: %q", lines, c.Shown())
		}
		c.Line("exit")
		c.Wait()
	}
}
