//go:build e2e

package identity

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// from runs a command from an address of the loopback interface.
func from(t *testing.T, u *e2e.Account, address, command string) e2e.Result {
	t.Helper()
	return e2e.SSH(t, u, "-b", address, "--", command)
}

func TestOneContainerForEachClientAddress(t *testing.T) {
	e2e.Run(t, e2e.RootDoors, "only root can find sshd's connection")
	u := e2e.NewUser(t, "containername = %u-%i")
	from(t, u, "127.0.0.2", "echo two >~/f").Want(t, "", "", 0)
	from(t, u, "127.0.0.3", "cat ~/f 2>/dev/null || echo none").Want(t, "none\n", "", 0)
	from(t, u, "127.0.0.2", "cat ~/f").Want(t, "two\n", "", 0)
	if got := e2e.Inspect(t, u.Name+"-127.0.0.2", "{{index .Config.Labels \"dockersh.identity\"}}"); got != "u="+u.Name+",i=127.0.0.2" {
		t.Errorf("identity %s", got)
	}
	argv := e2e.SSHArgv(u, "::1", "echo six >~/f; cat ~/f")
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if _, missing := os.Stat("/proc/net/if_inet6"); missing == nil {
		if err != nil || string(out) != "six\n" {
			t.Errorf("over IPv6: %v %q", err, out)
		}
		e2e.Inspect(t, u.Name+"-_3a_3a1", "{{.Name}}")
	}
	if n := len(u.Containers(t)); n > 3 {
		t.Errorf("%d containers", n)
	}
	// A new broker finds the same containers.
	e2e.Broker.Restart(t, syscall.SIGKILL)
	from(t, u, "127.0.0.2", "cat ~/f").Want(t, "two\n", "", 0)
}

func TestSessionsOfOneConnectionShareItsAddress(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can find sshd's connection")
	u := e2e.NewUser(t, "containername = %u-%i")
	master := e2e.Scratch + "/master-" + u.Name
	options := []string{"-b", "127.0.0.4", "-o", "ControlPath=" + master}
	c := e2e.NewConsole(t, 24, 80, e2e.SSHArgv(u, append(options, "-o", "ControlMaster=yes", "-tt", "127.0.0.1")...)...)
	c.FirstPrompt()
	name := c.Run(e2e.ContainerID)
	for range 2 {
		e2e.SSH(t, u, "-o", "ControlPath="+master, "--", e2e.ContainerID).Want(t, name+"\n", "", 0)
	}
	c.Line("exit")
	c.Wait()
}

func TestAddressFromTheEnvironmentIsNotBelieved(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root can find sshd's connection")
	u := e2e.NewUser(t, "containername = %u-%i")
	refused := func(what string, cmd *exec.Cmd) {
		t.Helper()
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 255 || !strings.Contains(string(out), "the setting containername asks for the client's address, and this login has none") {
			t.Errorf("%s: %d %q", what, cmd.ProcessState.ExitCode(), out)
		}
	}
	refused("su", exec.Command("su", "-", u.Name, "-c", "true"))
	lie := exec.Command("su", u.Name, "-c", "true")
	lie.Env = []string{"PATH=/usr/bin:/bin", "SSH_CONNECTION=127.0.0.2 1000 127.0.0.1 22", "SSH_CLIENT=127.0.0.2 1000 22"}
	refused("su with a lie", lie)

	// A user's own sshd is the host's program with the host's name, but does not run as
	// root.
	dir := e2e.Scratch + "/own-" + u.Name
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/hostkey")
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort 2299\nHostKey %s/hostkey\nPidFile none\nAuthorizedKeysFile %s/keys/%%u\nUsePAM no\nStrictModes no\n", dir, e2e.Scratch)
	if err := os.WriteFile(dir+"/config", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "chown", "-R", u.Name, dir)
	own := exec.Command("/usr/sbin/sshd", "-D", "-f", dir+"/config")
	own.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.GID)}}
	if err := own.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = own.Process.Kill(); _ = own.Wait() }()
	argv := e2e.SSHArgv(u, "-p", "2299", "127.0.0.1", "true")
	for i, a := range argv {
		if a == e2e.Port {
			argv[i] = "2299"
		}
	}
	e2e.Eventually(t, "the user's sshd answers", func() bool {
		out, _ := exec.Command(argv[0], argv[1:]...).CombinedOutput()
		return !strings.Contains(string(out), "Connection refused")
	})
	refused("a user's own sshd", exec.Command(argv[0], argv[1:]...))
	if ids := u.Containers(t); len(ids) != 0 {
		t.Errorf("containers: %q", ids)
	}
	e2e.CanLogIn(t, u)
}

func TestHostShellNeedsNoAddress(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "containername = %u-%i-%k", "hostname = %i", "hostshell = /bin/bash")
	if out := e2e.OnHost(t, "su", "-", u.Name, "-c", "echo in"); out != "in" {
		t.Errorf("%q", out)
	}
}

func TestOneContainerForEachKey(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewUser(t, "containername = %u-%k")
	second := "key-of-" + u.Name
	if err := e2e.Keygen(second); err != nil {
		t.Fatal(err)
	}
	var both []byte
	for _, name := range []string{"key", second} {
		pub, err := os.ReadFile(e2e.Scratch + "/" + name + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, pub...)
	}
	if err := u.Authorize(string(both)); err != nil {
		t.Fatal(err)
	}
	by := func(key, command string) e2e.Result {
		t.Helper()
		argv := e2e.SSHArgv(u, "127.0.0.1", command)
		for i, a := range argv {
			if a == e2e.Scratch+"/key" {
				argv[i] = e2e.Scratch + "/" + key
			}
		}
		var out, errs strings.Builder
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run()
		return e2e.Result{Stdout: out.String(), Stderr: errs.String(), Status: cmd.ProcessState.ExitCode()}
	}
	by("key", "echo one >~/f").Want(t, "", "", 0)
	by(second, "cat ~/f 2>/dev/null || echo none").Want(t, "none\n", "", 0)
	by("key", "cat ~/f").Want(t, "one\n", "", 0)
	fingerprint := strings.Fields(e2e.OnHost(t, "ssh-keygen", "-l", "-f", e2e.Scratch+"/key.pub"))[1]
	want := "u=" + u.Name + ",k=" + strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimPrefix(fingerprint, "SHA256:"))
	found := ""
	for _, id := range u.Containers(t) {
		found += e2e.Inspect(t, id, "{{index .Config.Labels \"dockersh.identity\"}}") + "\n"
	}
	if !strings.Contains(found, want+"\n") || strings.Count(found, "\n") != 2 {
		t.Errorf("identities %q, want %s among two", found, want)
	}
	// Without sshd there is no key, and a user's file is not believed to be sshd's.
	u.WriteFile(t, "fake", "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n", 0o600)
	for _, file := range []string{"", u.Home + "/fake", "/tmp/sshauth./../.." + u.Home + "/fake"} {
		cmd := exec.Command("su", u.Name, "-c", "true")
		cmd.Env = []string{"PATH=/usr/bin:/bin", "SSH_USER_AUTH=" + file, "HOME=" + u.Home}
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 255 || !strings.Contains(string(out), "but sshd did not provide it") {
			t.Errorf("%q: %q", file, out)
		}
	}
}
