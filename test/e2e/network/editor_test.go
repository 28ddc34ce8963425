//go:build e2e

package network

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// As an editor does: a script on the stdin of a shell starts a server that listens on the
// loopback inside and says where; the editor speaks to it through SOCKS, and again by a second
// connection when the first one was cut.
func TestServerOfAnEditorIsReachedByEachOfItsConnections(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.PAMSSHD), why)
	u := e2e.NewUser(t)
	port := freePort()
	start := func(proxy string) (*exec.Cmd, io.WriteCloser, *bufio.Reader) {
		t.Helper()
		argv := e2e.PAMArgv(u, "-T", "-D", proxy, "127.0.0.1", "sh")
		cmd := exec.Command(argv[0], argv[1:]...)
		in, out := e2e.StartPiped(t, cmd)
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd, in, bufio.NewReader(out)
	}
	echo := func(proxy, text string) string {
		c, err := socks(proxy, port)
		if err != nil {
			return ""
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(e2e.Limit))
		if _, err := io.WriteString(c, text+"\n"); err != nil {
			return ""
		}
		line, _ := bufio.NewReader(c).ReadString('\n')
		return strings.TrimSpace(line)
	}
	first := freePort()
	cmd, in, out := start(first)
	_, _ = io.WriteString(in, "setsid nc -ll -p "+port+" -e cat </dev/null >/dev/null 2>&1 &\necho port=$((0+"+port+"))\n")
	if line, err := out.ReadString('\n'); line != "port="+port+"\n" {
		t.Fatalf("%q %v", line, err)
	}
	e2e.Eventually(t, "the editor reaches its server", func() bool { return echo(first, "hello") == "hello" })
	_ = cmd.Process.Kill()
	second := freePort()
	_, in, out = start(second)
	_, _ = io.WriteString(in, "echo again\n")
	if line, err := out.ReadString('\n'); line != "again\n" {
		t.Fatalf("%q %v", line, err)
	}
	if got := echo(second, "still there"); got != "still there" {
		t.Errorf("%q", got)
	}
}
