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

const noX11 = "dockersh: X11 is not forwarded into this container"

func TestX11IsForwardedThroughTheContainersNetwork(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), "the PAM module asks the service alone")
	if _, err := exec.LookPath("xauth"); err != nil {
		t.Skip("xauth is not installed")
	}
	startXServer(t)
	for name, u := range map[string]*e2e.Account{"bash": e2e.Plain, "dockersh": e2e.Boxed} {
		t.Run(name, func(t *testing.T) {
			if out := e2e.OnHost(t, x11(u, xClient)...); out != "let in" {
				t.Errorf("%q", out)
			}
			// The cookie proves that it is the user.
			wrong := strings.Replace(xClient, "tail -c 16", "tail -c 15", 1) + "; printf x >&3; true"
			if out := e2e.OnHost(t, x11(u, strings.Replace(wrong, ">&3\ntimeout", ">&3; printf x >&3\ntimeout", 1))...); out != "" {
				t.Errorf("with another cookie: %q", out)
			}
		})
	}
	u := e2e.NewUser(t)
	out := e2e.OnHost(t, x11(u, `stat -c %a "$XAUTHORITY"; echo $DISPLAY; ls ~/.Xauthority /tmp/.X11-unix 2>&1 | grep -vc No; echo ${XAUTHORITY%/*}`)...)
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
		u := e2e.NewUser(t, lines...)
		if out := e2e.OnHost(t, x11(u, `echo "[$DISPLAY$XAUTHORITY]"`)...); out != "[]" {
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
