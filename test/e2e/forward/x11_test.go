//go:build e2e

package forward

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

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

// x11 returns the command line of a client that forwards X11, by the sshd with the PAM module.
func x11(u *e2e.Account, args ...string) []string {
	return e2e.PAMArgv(u, append([]string{"-Y", "127.0.0.1"}, args...)...)
}

// runX11 runs a command through that client, and returns its output. On stderr, xauth says of
// a first login that there is no file yet.
func runX11(t *testing.T, u *e2e.Account, command string) string {
	t.Helper()
	argv := x11(u, command)
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
			if out := runX11(t, u, xClient); out != "let in" {
				t.Errorf("%q", out)
			}
			// The cookie proves that it is the user.
			wrong := strings.Replace(xClient, "tail -c 16", "printf x >&3; tail -c 15", 1)
			if out := runX11(t, u, wrong); out != "" {
				t.Errorf("with another cookie: %q", out)
			}
		})
	}
	u := e2e.NewUser(t, loopback6)
	out := runX11(t, u, `stat -c %a "$XAUTHORITY"; echo $DISPLAY; ls ~/.Xauthority /tmp/.X11-unix 2>&1 | grep -vc No; echo ${XAUTHORITY%/*}`)
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
		if out := runX11(t, u, `echo "[$DISPLAY$XAUTHORITY]"`); out != "[]" {
			t.Errorf("%q: %q", lines, out)
		}
		argv := x11(u)
		c := e2e.NewConsole(t, 24, 80, append([]string{argv[0], "-tt"}, argv[1:]...)...)
		c.FirstPrompt()
		if !strings.Contains(c.Shown(), noX11) {
			t.Errorf("%q: %q", lines, c.Shown())
		}
		c.Line("exit")
		c.Wait()
	}
}
