//go:build e2e

package engines

import (
	"fmt"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestServiceRefusesARootlessEngine(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor.On(e2e.Rootless), "another door leads to it: TestRootlessEngineServesItsUserThroughTheDirectDoor")
	// It has the rights of its user, and cannot see what the service would mount.
	r := e2e.TheRootlessUser()
	r.Configure(t, "dockersocket = "+r.Socket, "imagename = dsh-busybox", "pidslimit = 0")
	t.Cleanup(func() { r.Configure(t, e2e.RootlessLines...) })
	e2e.SSH(t, r.Account, "true").Refused(t, "is rootless")
	if out := r.Podman(t, "ps", "-aq"); out != "" {
		t.Errorf("left: %s", out)
	}
}

// Other tests run with this engine too: see e2e.ForEachUser.
func TestRootlessEngineServesItsUserThroughTheDirectDoor(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor.On(e2e.Rootless), "a root broker refuses it: TestServiceRefusesARootlessEngine")
	r := e2e.TheRootlessUser()
	e2e.OnHost(t, "gpasswd", "-d", r.Name, "docker") // which it does not need
	t.Cleanup(func() { e2e.OnHost(t, "gpasswd", "-a", r.Name, "docker") })
	e2e.SSH(t, r.Account, "whoami; id -u; pwd; cat /proc/1/comm; umask 022; echo x >~/f; stat -c '%u %a' ~/f").
		Want(t, fmt.Sprintf("%s\n%d\n%s\ndockersh-init\n%d 644\n", r.Name, r.UID, r.Home, r.UID), "", 0)
	if got, want := owner(t, r.Home+"/f"), fmt.Sprintf("%d %d 644", r.UID, r.GID); got != want {
		t.Errorf("the file is %s on the host, want %s", got, want)
	}
	id := r.Podman(t, "ps", "-q", "--no-trunc", "--filter", "label=dockersh.user="+r.Name)
	r.Podman(t, "exec", id, "sh", "-c", "echo kept >/tmp/kept")
	r.Podman(t, "stop", "-t", "2", id)
	e2e.SSH(t, r.Account, "cat /tmp/kept").Want(t, "kept\n", "", 0)
	r.Podman(t, "rm", "-f", "-t", "0", id)
	e2e.SSH(t, r.Account, "cat /tmp/kept; cat ~/f").Want(t, "x\n", "cat: /tmp/kept: No such file or directory\n", 0)

	// The user's number inside is another one outside, which matters only with a home.
	r.Configure(t, "dockersocket = "+r.Socket, "imagename = dsh-debian", "shell = /bin/bash", "pidslimit = 0", "containername = %u-mapped")
	t.Cleanup(func() { r.Configure(t, e2e.RootlessLines...) })
	e2e.SSH(t, r.Account, "whoami; stat -c %u ~; echo err >/dev/stderr").Want(t, fmt.Sprintf("%s\n%d\n", r.Name, r.UID), "err\n", 0)
	r.Configure(t, "dockersocket = "+r.Socket, "imagename = dsh-debian", "shell = /bin/bash", "pidslimit = 0", "containername = %u-home", "mounthome")
	e2e.SSH(t, r.Account, "true").Refused(t, "its home was mounted for")
}
