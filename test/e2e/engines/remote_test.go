//go:build e2e

package engines

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestRemoteEngineHasTheContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Remote))
	u := e2e.NewRemoteUser(t)
	e2e.SSH(t, u, "whoami; pwd; cat /proc/1/cmdline | tr '\\0' ' '; touch kept").Want(t, u.Name+"\n"+u.Home+"\n/.dockersh/dockersh-init pause ", "", 0)
	if len(u.Containers(t)) != 0 {
		t.Error("the container is on the host's own engine")
	}
	// A stopped container keeps its files, and process 1 ends at the signal.
	start := time.Now()
	if err := e2e.TryRemoteDocker("stop", "-t", "30", u.Name+"_dockersh"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("stopped after %v", took)
	}
	e2e.SSH(t, u, "ls").Want(t, "kept\n", "", 0)
	// Processes that sessions leave behind are reaped.
	e2e.SSH(t, u, "sh -c 'sleep 0.1 & exec true'").Want(t, "", "", 0)
	e2e.Eventually(t, "no zombie is left", func() bool {
		return e2e.SSH(t, u, "ps -o stat | grep -c Z").Stdout == "0\n"
	})
	out, err := exec.Command(e2e.CtlPath, "explain", u.Name).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the engine is on another host") || !strings.Contains(string(out), "(running)") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestRemoteEngineThatIsDownIsOneErrorLine(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Remote))
	u := e2e.NewRemoteUser(t)
	e2e.CanLogIn(t, u)
	e2e.RemoteDaemon.Signal(syscall.SIGKILL)
	r := e2e.SSH(t, u, "true")
	if err := e2e.RemoteDaemon.Start(); err != nil {
		t.Fatal(err)
	}
	r.Refused(t, "engine")
	e2e.Eventually(t, "the engine is back", func() bool { return e2e.SSH(t, u, "echo works").Stdout == "works\n" })
}

func TestRemoteEngineRefusesWhatItCannotGive(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Remote))
	u := e2e.NewRemoteUser(t, "mounthome")
	e2e.SSH(t, u, "true").Refused(t, "mounthome")
	u = e2e.NewRemoteUser(t) // the log has the first refusal of each user, and then a count
	// A key that others can read is not used, and neither is TCP without keys.
	dir := e2e.Scratch + "/open-tls"
	e2e.OnHost(t, "cp", "-a", e2e.RemoteTLS, dir)
	e2e.OnHost(t, "chmod", "644", dir+"/key.pem")
	if err := u.Set("dockersocket = "+e2e.RemoteAddress, "dockertls = "+dir); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "true").Refused(t)
	e2e.Eventually(t, "the log says why", func() bool { return strings.Contains(e2e.Broker.Log(), "key.pem can be read by others") })
	u = e2e.NewRemoteUser(t)
	if err := u.Set("dockersocket = " + e2e.RemoteAddress); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "true").Refused(t, "dockertls")
}

func TestSharedContainerOnARemoteEngineKnowsItsUsers(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Remote))
	lines := []string{"containername = abroad-shared"}
	a, b := e2e.NewRemoteUser(t, lines...), e2e.NewRemoteUser(t, lines...)
	t.Cleanup(func() { _ = e2e.TryRemoteDocker("rm", "-f", "abroad-shared") })
	e2e.SSH(t, a, "whoami").Want(t, a.Name+"\n", "", 0)
	e2e.SSH(t, b, "whoami; pwd").Want(t, b.Name+"\n"+b.Home+"\n", "", 0)
}

func TestRemoteEngineAdoptsAContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Remote))
	u := e2e.NewRemoteUser(t)
	if err := u.Set("dockersocket = "+e2e.RemoteAddress, "dockertls = "+e2e.RemoteTLS, "adopt", "containername = abroad-hand", "usercwd = /"); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "true").Refused(t, "there is no container abroad-hand")
	if err := e2e.TryRemoteDocker("create", "--name", "abroad-hand", "busybox", "sleep", "infinity"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e2e.TryRemoteDocker("rm", "-f", "abroad-hand") })
	e2e.CanLogIn(t, u)
}

// Broker and bridges run ssh as root. On the other host the engine's command line connects
// its standard input and output to the engine.
func TestEngineOverSSHRunsSessions(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	// root's home is the machine's own, so key and known hosts are in the private /etc.
	config := "Host 127.0.0.1\n\tIdentityFile " + e2e.Scratch + "/key\n\tIdentitiesOnly yes\n\tUserKnownHostsFile /dev/null\n\tStrictHostKeyChecking no\n\tLogLevel ERROR\n"
	const file = "/etc/ssh/ssh_config"
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(config+string(old)), 0o644); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(e2e.Scratch + "/key.pub")
	if err != nil {
		t.Fatal(err)
	}
	root := &e2e.Account{Name: "root"}
	if err := root.Authorize(string(key)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.WriteFile(file, old, 0o644)
		_ = os.Remove(e2e.Scratch + "/keys/root")
	})
	u := e2e.NewUser(t, "dockersocket = ssh://root@127.0.0.1:"+e2e.Port)
	e2e.SSH(t, u, "whoami; pwd; exit 4").Want(t, u.Name+"\n"+u.Home+"\n", "", 4)
	if got := e2e.Inspect(t, u.Container(t), "{{len .Mounts}}"); got != "0" {
		t.Errorf("%s mounts of the host", got)
	}
	e2e.SSHInput(t, u, e2e.Noise(3, 1e6), "sha256sum | cut -c1-4; echo err >&2").Want(t, sha256Start(3, 1e6)+"\n", "err\n", 0)
	c := e2e.NewConsole(t, 41, 133, e2e.SSHArgv(u, "-tt", "127.0.0.1", "stty size; cat")...)
	c.Expect("41 133")
	mark := "sleep 1" + u.Name[4:] + "31"
	d := e2e.SSHConsole(t, u, mark)
	e2e.Eventually(t, "the command runs", func() bool { return e2e.CommandRuns(mark) })
	_ = d.Cmd.Process.Kill()
	e2e.Eventually(t, "the command is hung up", func() bool { return !e2e.CommandRuns(mark) })
	c.Send("\x04")
	if status := c.Wait(); status != 0 {
		t.Errorf("status %d", status)
	}
	e2e.Eventually(t, "no bridge is left", func() bool { return len(e2e.Bridges()) == 0 })
	// If the other host does not accept the key, the login fails in one line, without a
	// question.
	if err := os.Remove(e2e.Scratch + "/keys/root"); err != nil {
		t.Fatal(err)
	}
	e2e.Broker.Restart(t, syscall.SIGTERM) // which also ends its connections
	r := e2e.SSH(t, u, "true")
	r.Refused(t, "engine")
	if r.Took > e2e.Limit {
		t.Errorf("took %v", r.Took)
	}
	e2e.Eventually(t, "the log says why", func() bool { return strings.Contains(e2e.Broker.Log(), "Permission denied") })
}

func sha256Start(seed byte, n int64) string {
	s := e2e.Sum(e2e.Noise(seed, n))
	return fmt.Sprintf("%x", s[:2])
}
