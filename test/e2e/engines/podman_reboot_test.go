//go:build e2e

package engines

import (
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// cutPower ends what Podman and the broker run, at once, and empties what a boot empties.
// Then both are started again, as after the next boot.
func cutPower(t *testing.T, ids ...string) {
	t.Helper()
	victims := e2e.PidsOf(func(_ int, args string) bool {
		return strings.HasPrefix(args, "podman system service")
	})
	if len(victims) != 1 {
		t.Fatalf("%d services of podman", len(victims))
	}
	for _, id := range ids {
		for f := range strings.FieldsSeq(podman(t, "inspect", "-f", "{{.State.ConmonPid}} {{.State.Pid}}", id)) {
			if pid, _ := strconv.Atoi(f); pid > 1 {
				victims = append(victims, pid)
			}
		}
	}
	e2e.Broker.Signal(syscall.SIGKILL)
	for _, pid := range victims {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	e2e.Eventually(t, "they are dead", func() bool {
		for _, pid := range victims {
			if f := e2e.ProcStat("/proc/" + strconv.Itoa(pid) + "/stat"); len(f) > 0 && f[0] != "Z" {
				return false
			}
		}
		return true
	})
	e2e.OnHost(t, "sh", "-c", `
		grep " $APART/podman/" /proc/self/mountinfo | cut -d" " -f5 | sort -r | while read m; do umount -l "$m"; done
		rm -rf /run/libpod /run/podman-run /run/containers /run/runc /run/crun /run/podman/* /run/dockersh/*`)
	service := e2e.Daemon{
		Name:  "podman",
		Argv:  []string{"env", "HOME=/root", "podman", "system", "service", "--time=0", "unix://" + e2e.PodmanSocket},
		Ready: func() bool { return e2e.TryPodman("version") == nil },
	}
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	if err := e2e.Broker.Start(); err != nil {
		t.Fatal(err)
	}
}

// keepsItsFile logs in again and must find the same container with what was in it.
func keepsItsFile(t *testing.T, u *e2e.Account, id string) {
	t.Helper()
	e2e.SSH(t, u, "cat /var/tmp/f").Want(t, "kept\n", "", 0)
	if now := containersInPodman(t, u); len(now) != 1 || now[0] != id {
		t.Errorf("container %s is gone; there is %q", id, now)
	}
}

func withAFile(t *testing.T) (u *e2e.Account, id string) {
	t.Helper()
	u = newPodmanUser(t)
	e2e.SSH(t, u, "echo kept >/var/tmp/f").Want(t, "", "", 0)
	return u, containersInPodman(t, u)[0]
}

func TestPodmanContainerSurvivesAPowerCut(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.Podman), "its broker is killed and started again")
	u, id := withAFile(t)
	cutPower(t, id)
	keepsItsFile(t, u, id)
}

func TestStoppedPodmanContainerSurvivesAPowerCut(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.Podman), "its broker is killed and started again")
	u, id := withAFile(t)
	podman(t, "stop", "-t", "1", id)
	cutPower(t, id)
	keepsItsFile(t, u, id)
}

// A start that ends between runc's create and start leaves such a container too.
func TestPodmanContainerSurvivesAStartThatWasCut(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	u, id := withAFile(t)
	podman(t, "stop", "-t", "1", id)
	podman(t, "init", id)
	keepsItsFile(t, u, id)
}

func TestDockershctlStartsWhatRanBeforeAPowerCut(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.Podman), "its broker is killed and started again")
	u, id := withAFile(t)
	cutPower(t, id)
	e2e.WithSettings(t, "[dockersh]\n\tdockersocket = "+e2e.PodmanSocket+"\n\timagename = dsh-debian\n\tshell = /bin/bash\n")
	if out, errs, status := e2e.Ctl(t, "start", u.Name+"_dockersh"); status != 0 {
		t.Errorf("%q %q %d", out, errs, status)
	}
	keepsItsFile(t, u, id)
}
