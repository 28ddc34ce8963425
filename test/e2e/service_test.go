//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// systemd makes the socket, passes it as descriptor 3 and keeps it.
func TestSocketActivation(t *testing.T) {
	service(t, "systemd's socket")
	broker.stop()
	defer func() {
		if err := broker.start(); err != nil {
			t.Error(err)
		}
		works(t, tiny)
	}()
	path := runDir + "/dockershd.sock"
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
		cmd := exec.Command("/bin/sh", "-c", "LISTEN_FDS=1 LISTEN_PID=$$ exec "+prefix+"/sbin/dockershd")
		cmd.ExtraFiles = []*os.File{sock}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	for range 2 { // a second one takes over the same socket
		cmd := serve()
		works(t, tiny)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("not a clean end: %v", err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("the socket was systemd's to remove: %v", err)
		}
	}
	// A login that comes while no broker runs waits for the next one.
	answer := make(chan result, 1)
	go func() { r, _ := trySSH(tiny, nil, "echo waited"); answer <- r }()
	cmd := serve()
	if r := <-answer; r.stdout != "waited\n" || r.status != 0 {
		t.Errorf("%+v", r)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
}

func TestASecondBrokerOnTheSameSocketGivesUp(t *testing.T) {
	service(t, "its socket")
	out, err := exec.Command(prefix + "/sbin/dockershd").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another dockershd serves") {
		t.Errorf("%v: %s", err, out)
	}
	works(t, tiny)
}

func TestTheBrokerRefusesAnArgumentItDoesNotKnow(t *testing.T) {
	out, err := exec.Command(prefix+"/sbin/dockershd", "--debug").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "does not take these arguments") {
		t.Errorf("%v: %s", err, out)
	}
}
