//go:build e2e

package e2e

import (
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The ways past the login shell that the ledger in SECURITY.md tells of, with sshd's
// own defaults and with the lines that dockershctl prints.
func TestSSHDWithTheSnippetGivesNoWayPastDockersh(t *testing.T) {
	u := sound(t)
	u.join(t, "docker")
	run(t, "usermod", "-s", "/bin/bash", u.name)
	run(t, "chgrp", "docker", "/run/docker.sock")
	t.Cleanup(func() { run(t, "chgrp", "root", "/run/docker.sock") })
	b, err := os.ReadFile("/etc/ssh/sshd_config")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "/etc/ssh/sshd_config", strings.Replace(string(b), "/usr/lib/openssh/sftp-server", "internal-sftp", 1)+
		"ListenAddress 127.0.0.1\nPort "+otherPort+"\nPidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n")
	t.Run("with the snippet", func(t *testing.T) {
		if got := pastTheShell(t, u); len(got) != 0 {
			t.Errorf("sshd gives %q", got)
		}
	})
	_ = os.Remove("/etc/ssh/sshd_config.d/dockersh.conf")
	t.Run("without it", func(t *testing.T) {
		if got := pastTheShell(t, u); len(got) != 4 {
			t.Errorf("sshd gives only %q: this test shows nothing", got)
		}
	})
}

// otherPort is that of an sshd with the host's own configuration.
const otherPort = "2223"

// pastTheShell starts an sshd, and gives what of the host a user reaches.
func pastTheShell(t *testing.T, u *account) (reached []string) {
	d := &daemon{name: "sshd-doctor", argv: []string{"/usr/sbin/sshd", "-D", "-e"}, ready: func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+otherPort)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}}
	if err := d.start(); err != nil {
		t.Fatal(err, d.log())
	}
	defer d.stop()
	client := func(args ...string) *exec.Cmd {
		argv := sshArgv(u, args...)
		argv[slices.Index(argv, port)] = otherPort
		return exec.Command("timeout", append([]string{"60"}, argv...)...)
	}
	output := func(args ...string) string {
		out, _ := client(args...).Output() // a refusal shows as nothing
		return string(out)
	}
	if strings.TrimSpace(output("127.0.0.1", "cat /proc/sys/kernel/hostname")) == "apart" {
		reached = append(reached, "a shell")
	}
	if strings.HasPrefix(output("-W", "127.0.0.1:"+port, "127.0.0.1"), "SSH-2.0") {
		reached = append(reached, "a port")
	}
	if speaksSFTP(t, client("-s", "127.0.0.1", "sftp")) {
		reached = append(reached, "files")
	}
	socket := scratch + "/forwarded.sock"
	_ = os.Remove(socket)
	tunnel := client("-N", "-L", socket+":/run/docker.sock", "127.0.0.1")
	if err := tunnel.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tunnel.Process.Signal(syscall.SIGTERM); _ = tunnel.Wait() }()
	var conn net.Conn
	eventually(t, "the client listens", func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", socket)
		return err == nil
	})
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(limit))
	_, _ = conn.Write([]byte("GET /_ping HTTP/1.0\r\n\r\n"))
	answer, _ := io.ReadAll(conn) // of a refused connection: nothing
	if strings.HasPrefix(string(answer), "HTTP/1") {
		reached = append(reached, "the engine")
	}
	return reached
}

// speaksSFTP tells whether an sftp server answers a client's first message.
func speaksSFTP(t *testing.T, cmd *exec.Cmd) bool {
	in, out := piped(t, cmd)
	_, _ = io.WriteString(in, "\x00\x00\x00\x05\x01\x00\x00\x00\x03") // SSH_FXP_INIT, version 3
	answer := make([]byte, 5)
	_, err := io.ReadFull(out, answer)
	_ = in.Close()
	_ = cmd.Wait()
	return err == nil && answer[4] == 2 // SSH_FXP_VERSION
}
