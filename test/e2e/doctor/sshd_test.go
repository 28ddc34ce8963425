//go:build e2e

package doctor

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// The ways past the login shell in SECURITY.md's ledger, with the defaults of sshd and with
// the lines that dockershctl prints.
func TestTheSSHDSnippetClosesEveryWayPastDockersh(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := soundHost(t)
	u.Join(t, "docker")
	e2e.OnHost(t, "usermod", "-s", "/bin/bash", u.Name)
	e2e.OnHost(t, "chgrp", "docker", "/run/docker.sock")
	t.Cleanup(func() { e2e.OnHost(t, "chgrp", "root", "/run/docker.sock") })
	configureOtherSSHD(t)
	t.Run("with the snippet", func(t *testing.T) {
		if got := pastTheShell(t, u); len(got) != 0 {
			t.Errorf("the user reaches %q", got)
		}
	})
	_ = os.Remove("/etc/ssh/sshd_config.d/dockersh.conf")
	t.Run("without it", func(t *testing.T) {
		if got := pastTheShell(t, u); len(got) != 4 {
			t.Errorf("the user reaches only %q, so this test proves nothing", got)
		}
	})
}

// otherPort is the port of an sshd with the host's own configuration.
const otherPort = "2223"

// configureOtherSSHD makes the host's configuration one of an sshd at otherPort.
func configureOtherSSHD(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile("/etc/ssh/sshd_config")
	if err != nil {
		t.Fatal(err)
	}
	e2e.WriteFile(t, "/etc/ssh/sshd_config", strings.Replace(string(b), "/usr/lib/openssh/sftp-server", "internal-sftp", 1)+
		"ListenAddress 127.0.0.1\nPort "+otherPort+"\nPidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n")
}

// startOtherSSHD starts an sshd with the host's configuration, which the caller stops.
func startOtherSSHD(t *testing.T) *e2e.Daemon {
	t.Helper()
	d := &e2e.Daemon{Name: "sshd-doctor", Argv: []string{"/usr/sbin/sshd", "-D", "-e"}, Ready: func() bool { return e2e.Listens("127.0.0.1:" + otherPort) }}
	if err := d.Start(); err != nil {
		t.Fatal(err, d.Log())
	}
	return d
}

// throughOtherSSHD returns the command of a client of that sshd.
func throughOtherSSHD(u *e2e.Account, args ...string) []string {
	argv := e2e.SSHArgv(u, args...)
	argv[slices.Index(argv, e2e.Port)] = otherPort
	return append([]string{"timeout", "60"}, argv...)
}

// pastTheShell starts an sshd, and returns what a user reaches of the host.
func pastTheShell(t *testing.T, u *e2e.Account) (reached []string) {
	defer startOtherSSHD(t).Stop()
	client := func(args ...string) *exec.Cmd {
		argv := throughOtherSSHD(u, args...)
		return exec.Command(argv[0], argv[1:]...)
	}
	output := func(args ...string) string {
		out, _ := client(args...).Output() // a refusal has no output
		return string(out)
	}
	if strings.TrimSpace(output("127.0.0.1", "test -e /.dockersh || echo outside")) == "outside" {
		reached = append(reached, "a shell")
	}
	if strings.HasPrefix(output("-W", "127.0.0.1:"+e2e.Port, "127.0.0.1"), "SSH-2.0") {
		reached = append(reached, "a port")
	}
	if servesTheHost(t, client("-s", "127.0.0.1", "sftp")) {
		reached = append(reached, "files")
	}
	socket := e2e.Scratch + "/forwarded.sock"
	_ = os.Remove(socket)
	tunnel := client("-N", "-L", socket+":/run/docker.sock", "127.0.0.1")
	if err := tunnel.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tunnel.Process.Signal(syscall.SIGTERM); _ = tunnel.Wait() }()
	var conn net.Conn
	e2e.Eventually(t, "the client listens", func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", socket)
		return err == nil
	})
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(e2e.Limit))
	_, _ = conn.Write([]byte("GET /_ping HTTP/1.0\r\n\r\n"))
	answer, _ := io.ReadAll(conn) // nothing, if the connection is refused
	if strings.HasPrefix(string(answer), "HTTP/1") {
		reached = append(reached, "the engine")
	}
	return reached
}

// servesTheHost reports whether an sftp server has no /.dockersh, which only containers have.
func servesTheHost(t *testing.T, cmd *exec.Cmd) bool {
	in, out := e2e.StartPiped(t, cmd)
	// SSH_FXP_INIT, version 3; SSH_FXP_LSTAT.
	_, _ = io.WriteString(in, "\x00\x00\x00\x05\x01\x00\x00\x00\x03"+"\x00\x00\x00\x13\x07\x00\x00\x00\x01\x00\x00\x00\x0a/.dockersh")
	kind := byte(0)
	for range 2 {
		head := make([]byte, 5)
		if _, err := io.ReadFull(out, head); err != nil {
			break // nobody speaks sftp
		}
		kind = head[4]
		_, _ = io.CopyN(io.Discard, out, int64(binary.BigEndian.Uint32(head))-1)
	}
	_ = in.Close()
	_ = cmd.Wait()
	return kind == 101 // SSH_FXP_STATUS: no such file
}
