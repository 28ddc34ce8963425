//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// from logs in from an address of the loopback.
func from(t *testing.T, u *account, address, command string) result {
	t.Helper()
	return ssh(t, u, "-b", address, "--", command)
}

func TestOneContainerForEachClientAddress(t *testing.T) {
	privileged(t, "the connections of sshd are root's to look at")
	u := newBoxed(t, "containername = %u-%i")
	from(t, u, "127.0.0.2", "echo two >~/f").want(t, "", "", 0)
	from(t, u, "127.0.0.3", "cat ~/f 2>/dev/null || echo none").want(t, "none\n", "", 0)
	from(t, u, "127.0.0.2", "cat ~/f").want(t, "two\n", "", 0)
	if got := inspect(t, u.name+"-127.0.0.2", "{{index .Config.Labels \"dockersh.identity\"}}"); got != "u="+u.name+",i=127.0.0.2" {
		t.Errorf("identity %s", got)
	}
	argv := sshArgv(u, "::1", "echo six >~/f; cat ~/f")
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if _, missing := os.Stat("/proc/net/if_inet6"); missing == nil {
		if err != nil || string(out) != "six\n" {
			t.Errorf("over IPv6: %v %q", err, out)
		}
		inspect(t, u.name+"-_3a_3a1", "{{.Name}}")
	}
	if n := len(u.containers(t)); n > 3 {
		t.Errorf("%d containers", n)
	}
	// A new broker knows them, too.
	broker.restart(t, syscall.SIGKILL)
	from(t, u, "127.0.0.2", "cat ~/f").want(t, "two\n", "", 0)
}

func TestSessionsOfOneConnectionShareItsAddress(t *testing.T) {
	privileged(t, "the connections of sshd are root's to look at")
	u := newBoxed(t, "containername = %u-%i")
	master := scratch + "/master-" + u.name
	options := []string{"-b", "127.0.0.4", "-o", "ControlPath=" + master}
	c := newConsole(t, 24, 80, sshArgv(u, append(options, "-o", "ControlMaster=yes", "-tt", "127.0.0.1")...)...)
	c.login()
	name := c.run("hostname")
	for range 2 {
		ssh(t, u, "-o", "ControlPath="+master, "--", "hostname").want(t, name+"\n", "", 0)
	}
	c.line("exit")
	c.wait()
}

func TestAnAddressThatOnlyTheEnvironmentTellsIsNone(t *testing.T) {
	privileged(t, "the connections of sshd are root's to look at")
	u := newBoxed(t, "containername = %u-%i")
	refused := func(what string, cmd *exec.Cmd) {
		t.Helper()
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 255 || !strings.Contains(string(out), "the setting containername asks for the client's address, and this login has none") {
			t.Errorf("%s: %d %q", what, cmd.ProcessState.ExitCode(), out)
		}
	}
	refused("su", exec.Command("su", "-", u.name, "-c", "true"))
	lie := exec.Command("su", u.name, "-c", "true")
	lie.Env = []string{"PATH=/usr/bin:/bin", "SSH_CONNECTION=127.0.0.2 1000 127.0.0.1 22", "SSH_CLIENT=127.0.0.2 1000 22"}
	refused("su with a lie", lie)

	// A user's own sshd has the name and the program of the host's, and is not root's.
	dir := scratch + "/own-" + u.name
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/hostkey")
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort 2299\nHostKey %s/hostkey\nPidFile none\nAuthorizedKeysFile %s/keys/%%u\nUsePAM no\nStrictModes no\n", dir, scratch)
	if err := os.WriteFile(dir+"/config", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "chown", "-R", u.name, dir)
	own := exec.Command("/usr/sbin/sshd", "-D", "-f", dir+"/config")
	own.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u.uid), Gid: uint32(u.gid)}}
	if err := own.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = own.Process.Kill(); _ = own.Wait() }()
	argv := sshArgv(u, "-p", "2299", "127.0.0.1", "true")
	for i, a := range argv {
		if a == port {
			argv[i] = "2299"
		}
	}
	eventually(t, "the user's sshd answers", func() bool {
		out, _ := exec.Command(argv[0], argv[1:]...).CombinedOutput()
		return !strings.Contains(string(out), "Connection refused")
	})
	refused("a user's own sshd", exec.Command(argv[0], argv[1:]...))
	if ids := u.containers(t); len(ids) != 0 {
		t.Errorf("containers: %q", ids)
	}
	works(t, u)
}

func TestBreakGlassAsksForNoAddress(t *testing.T) {
	u := newBoxed(t, "containername = %u-%i-%k", "hostname = %i", "hostshell = /bin/bash")
	if out := run(t, "su", "-", u.name, "-c", "echo in"); out != "in" {
		t.Errorf("%q", out)
	}
}

func TestOneContainerForEachKey(t *testing.T) {
	u := newBoxed(t, "containername = %u-%k")
	second := "key-of-" + u.name
	if err := keygen(second); err != nil {
		t.Fatal(err)
	}
	var both []byte
	for _, name := range []string{"key", second} {
		pub, err := os.ReadFile(scratch + "/" + name + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, pub...)
	}
	if err := u.authorize(string(both)); err != nil {
		t.Fatal(err)
	}
	by := func(key, command string) result {
		t.Helper()
		argv := sshArgv(u, "127.0.0.1", command)
		for i, a := range argv {
			if a == scratch+"/key" {
				argv[i] = scratch + "/" + key
			}
		}
		var out, errs strings.Builder
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run()
		return result{stdout: out.String(), stderr: errs.String(), status: cmd.ProcessState.ExitCode()}
	}
	by("key", "echo one >~/f").want(t, "", "", 0)
	by(second, "cat ~/f 2>/dev/null || echo none").want(t, "none\n", "", 0)
	by("key", "cat ~/f").want(t, "one\n", "", 0)
	fingerprint := strings.Fields(run(t, "ssh-keygen", "-l", "-f", scratch+"/key.pub"))[1]
	want := "u=" + u.name + ",k=" + strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimPrefix(fingerprint, "SHA256:"))
	found := ""
	for _, id := range u.containers(t) {
		found += inspect(t, id, "{{index .Config.Labels \"dockersh.identity\"}}") + "\n"
	}
	if !strings.Contains(found, want+"\n") || strings.Count(found, "\n") != 2 {
		t.Errorf("identities %q, want %s among two", found, want)
	}
	// Without sshd there is no key, and a file of the user's is none of sshd's.
	u.file(t, "fake", "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n", 0o600)
	for _, file := range []string{"", u.home + "/fake", "/tmp/sshauth./../.." + u.home + "/fake"} {
		cmd := exec.Command("su", u.name, "-c", "true")
		cmd.Env = []string{"PATH=/usr/bin:/bin", "SSH_USER_AUTH=" + file, "HOME=" + u.home}
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 255 || !strings.Contains(string(out), "sshd tells none") {
			t.Errorf("%q: %q", file, out)
		}
	}
}
