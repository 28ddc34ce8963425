//go:build e2e

package doors

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// systemd makes the socket, passes it as descriptor 3, and keeps it.
func TestSocketActivation(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "it needs systemd's socket")
	e2e.Broker.Stop()
	defer func() {
		if err := e2e.Broker.Start(); err != nil {
			t.Error(err)
		}
		e2e.CanLogIn(t, e2e.Tiny)
	}()
	path := e2e.RunDir + "/dockershd.sock"
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	sock := os.NewFile(uintptr(fd), path)
	defer sock.Close()
	_ = os.Remove(path)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 100); err != nil {
		t.Fatal(err)
	}
	serve := func() *exec.Cmd {
		cmd := exec.Command("/bin/sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec "+e2e.Prefix+"/sbin/dockershd")
		cmd.ExtraFiles = []*os.File{sock}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	for range 2 { // the second broker takes over the same socket
		cmd := serve()
		e2e.CanLogIn(t, e2e.Tiny)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("not a clean end: %v", err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("dockershd removed systemd's socket: %v", err)
		}
	}
	// A login waits for a broker while none runs.
	answer := make(chan e2e.Result, 1)
	go func() { r, _ := e2e.TrySSH(e2e.Tiny, nil, "echo waited"); answer <- r }()
	cmd := serve()
	if r := <-answer; r.Stdout != "waited\n" || r.Status != 0 {
		t.Errorf("%+v", r)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
}

func TestSecondBrokerOnTheSameSocketGivesUp(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "its socket")
	out, err := exec.Command(e2e.Prefix + "/sbin/dockershd").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another dockershd serves") {
		t.Errorf("%v: %s", err, out)
	}
	e2e.CanLogIn(t, e2e.Tiny)
}

func TestTheBrokerRefusesAnArgumentItDoesNotKnow(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	out, err := exec.Command(e2e.Prefix+"/sbin/dockershd", "--debug").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "does not take these arguments") {
		t.Errorf("%v: %s", err, out)
	}
}
