//go:build e2e

package engines

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// reachesSSHD asks the host's sshd, which reverseforward has at port 8022 of the container.
func reachesSSHD(t *testing.T, u *e2e.Account) {
	t.Helper()
	e2e.SSH(t, u, "head -c 3 </dev/tcp/127.0.0.1/8022").Want(t, "SSH", "", 0)
}

func TestReverseForwardLeadsIntoPodman(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(e2e.Podman))
	reachesSSHD(t, newPodmanUser(t, "reverseforward = "+e2e.Port+":8022"))
}

func TestReverseForwardLeadsIntoAUserNamespace(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors.On(remapped))
	for _, lines := range [][]string{nil, {"containerusername = root"}, {"network = none"}} {
		reachesSSHD(t, newRemapped(t, append(lines, "reverseforward = "+e2e.Port+":8022")...))
	}
}

func TestReverseForwardIsOffInAnAdoptedContainer(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t, "adopt", "shell = /bin/sh", "containerusername = root", "reverseforward = "+e2e.Port+":8022")
	e2e.OnHost(t, "docker", "run", "-d", "--name", u.Name+"_dockersh", "dsh-busybox", "sleep", "1000")
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rm", "-f", u.Name+"_dockersh") })
	e2e.SSH(t, u, "echo works").Want(t, "works\n", "", 0)
	c := e2e.SSHConsole(t, u)
	c.Expect("dockersh: reverseforward " + e2e.Port + ":8022 is off: dockersh did not make the container")
	c.FirstPrompt()
	c.Line("exit")
	c.Wait()
}
