//go:build e2e

// Package network tests what the PAM module does: whatever sshd forwards for a user is in the
// network of the user's container. And it tests reverseforward, which leads out of that.
package network

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}

// why is for all tests here: without a service the module finds no broker.
const why = "the module asks the service alone"

// greet greets whoever connects to a listener.
func greet(t *testing.T, l net.Listener, word string) {
	t.Helper()
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, word+"\n")
			c.Close()
		}
	}()
}

// hostListens greets on the host's loopback, and returns the port.
func hostListens(t *testing.T, word string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	greet(t, l, word)
	return portOf(l)
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// inNetwork runs f in the network of a process.
func inNetwork(t *testing.T, pid string, f func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and not unlocked: the thread ends
		ns, err := os.Open("/proc/" + pid + "/ns/net")
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// process1 returns process 1 of the account's container.
func process1(t *testing.T, u *e2e.Account) string {
	t.Helper()
	return e2e.Inspect(t, u.Container(t), "{{.State.Pid}}")
}

// containerListens greets on the loopback of a container.
func containerListens(t *testing.T, pid, port, word string) {
	t.Helper()
	var l net.Listener
	var err error
	inNetwork(t, pid, func() { l, err = net.Listen("tcp", "127.0.0.1:"+port) })
	if err != nil {
		t.Fatal(err)
	}
	greet(t, l, word)
}

// word returns what a listener says; empty if it cannot be reached, or says nothing.
func word(c net.Conn, err error) string {
	if err != nil {
		return ""
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(e2e.Limit))
	text, _ := bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(text)
}

func dial(port string) (net.Conn, error) { return net.Dial("tcp", "127.0.0.1:"+port) }

// socks connects through a SOCKS 5 proxy (RFC 1928) to a port of its loopback.
func socks(proxy, port string) (net.Conn, error) {
	c, err := dial(proxy)
	if err != nil {
		return nil, err
	}
	n, _ := strconv.Atoi(port)
	_ = c.SetDeadline(time.Now().Add(e2e.Limit))
	if _, err := c.Write([]byte{5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, byte(n >> 8), byte(n)}); err != nil {
		return nil, err
	}
	answer := make([]byte, 2+10)
	if _, err := io.ReadFull(c, answer); err != nil || answer[3] != 0 {
		c.Close()
		return nil, fmt.Errorf("refused: %v %v", answer, err)
	}
	return c, nil
}

var nextPort = 20000

// freePort returns a port for a listener of ssh.
func freePort() string {
	nextPort++
	return strconv.Itoa(nextPort)
}

// connect starts a connection without a session, and waits until its forwards listen.
func connect(t *testing.T, u *e2e.Account, options ...string) *exec.Cmd {
	t.Helper()
	mark := freePort() // listens when all others do
	args := append(options, "-N", "-o", "ExitOnForwardFailure=yes", "-D", mark, "127.0.0.1")
	argv := e2e.PAMArgv(u, args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if !e2e.Within(e2e.Limit, func() bool {
		select {
		case err := <-ended:
			t.Fatalf("%v: %s\n%s", err, errs.String(), e2e.PAMLog())
		default:
		}
		return e2e.Listens("127.0.0.1:" + mark)
	}) {
		t.Fatalf("no connection: %s\n%s", errs.String(), e2e.PAMLog())
	}
	return cmd
}
