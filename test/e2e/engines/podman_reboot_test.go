//go:build e2e

package engines

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// reboot cuts the power and boots again.
func reboot(t *testing.T) {
	t.Helper()
	e2e.PoweredPodman.CutPower(t)
	e2e.PoweredPodman.Boot(t)
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
	reboot(t)
	keepsItsFile(t, u, id)
}

func TestStoppedPodmanContainerSurvivesAPowerCut(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.Podman), "its broker is killed and started again")
	u, id := withAFile(t)
	podman(t, "stop", "-t", "1", id)
	reboot(t)
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
	reboot(t)
	e2e.WithSettings(t, "[dockersh]\n\t"+e2e.InPodman+"\n\timagename = dsh-debian\n\tshell = /bin/bash\n")
	if out, errs, status := e2e.Ctl(t, "start", u.Name+"_dockersh"); status != 0 {
		t.Errorf("%q %q %d", out, errs, status)
	}
	keepsItsFile(t, u, id)
}
