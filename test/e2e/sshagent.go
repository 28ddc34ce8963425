//go:build e2e

package e2e

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// StartSSHAgent starts an ssh agent with one key for the ssh clients of the test, and returns
// what ssh-add lists.
func StartSSHAgent(t testing.TB) (listed string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("SSH_AUTH_SOCK", dir+"/agent")
	out := OnHost(t, "ssh-agent", "-a", dir+"/agent")
	_, pid, _ := strings.Cut(out, "SSH_AGENT_PID=")
	pid, _, _ = strings.Cut(pid, ";")
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatalf("%q", out)
	}
	t.Cleanup(func() { _ = syscall.Kill(n, syscall.SIGTERM) })
	OnHost(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/key", "-C", "forwarded")
	OnHost(t, "ssh-add", "-q", dir+"/key")
	listed = OnHost(t, "ssh-add", "-l")
	if !strings.Contains(listed, "forwarded") {
		t.Fatalf("%q", listed)
	}
	return listed
}

// SSHAdd is where CopySSHAdd puts ssh-add, for a shell.
const SSHAdd = "/tmp/ssh-add-$(id -u)"

// CopySSHAdd puts the real ssh-add where the user's sessions find it, and reports whether it
// runs there.
func CopySSHAdd(t testing.TB, u *Account) bool {
	t.Helper()
	f, err := os.Open("/usr/bin/ssh-add")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return SSHInput(t, u, f, "cat >"+SSHAdd+" && chmod +x "+SSHAdd+" && SSH_AUTH_SOCK= "+SSHAdd+" -l 2>&1 | grep -q authentication").Status == 0
}
