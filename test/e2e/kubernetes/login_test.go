//go:build e2e && kubernetes

package kubernetes

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

func ctl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(e2e.CtlPath, args...).CombinedOutput()
	if err != nil {
		t.Errorf("dockershctl %v: %v: %s", args, err, out)
	}
	return string(out)
}

func TestUsersLandInPods(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	u := newUser(t, "homeclaim = home-%u")
	e2e.SSH(t, u, "whoami; pwd; echo $HOME; touch kept /tmp/lost; exit 7").Want(t, u.Name+"\n"+u.Home+"\n"+u.Home+"\n", "", 7)
	e2e.SSH(t, u, "ls; ls /tmp; echo err >&2").Want(t, "kept\nlost\n", "err\n", 0)
	e2e.SSHInput(t, u, e2e.Noise(3, 3e6), "wc -c").Want(t, "3000000\n", "", 0)
	e2e.SSH(t, u, "sleep 100 & echo at once").Want(t, "at once\n", "", 0)
	if out := ctl(t, "ls"); !strings.Contains(out, u.Name+"_dockersh") {
		t.Errorf("ls: %s", out)
	}
	// A pod has one life, and its volume stays.
	if out := ctl(t, "stop", u.Name+"_dockersh"); !strings.Contains(out, "stopped, and gone") {
		t.Errorf("stop: %s", out)
	}
	e2e.SSH(t, u, "ls; ls /tmp").Want(t, "kept\n", "", 0)
	if log := e2e.Broker.Log(); strings.Contains(log, "container vanished") {
		t.Error("a pod that was stopped counts as vanished")
	}
	other := newUser(t, "homeclaim = home-"+u.Name)
	e2e.SSH(t, other, "true").Refused(t, "cannot be started")
}

func TestPodsRefuseWhatTheyCannotHave(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	e2e.SSH(t, newUser(t, "mounthome = true"), "true").Refused(t, "mounthome has no meaning for a pod")
	e2e.SSH(t, newUser(t, "imagename = missing"), "true").Refused(t, "there is no image missing")
}

func TestSilentAPIServerIsOneErrorLine(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(cluster))
	u := newUser(t)
	e2e.SSH(t, u, "echo one").Want(t, "one\n", "", 0)
	pid := partOf(t, apiServer)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	r := e2e.SSH(t, u, "true")
	took := time.Since(start)
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	r.Refused(t, "the container engine does not answer")
	t.Logf("refused after %v", took)
	e2e.Eventually(t, "logins go on in the pod", func() bool { return e2e.SSH(t, u, "echo two").Stdout == "two\n" })
}
