//go:build e2e

package lifecycle

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// `docker commit` puts all of dockersh's labels into the image.
func TestDockershctlKeepsAContainerMadeByHandOfACommittedImage(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl finds the state of root brokers only")
	u := e2e.NewUser(t)
	e2e.CanLogIn(t, u)
	own, byHand := u.Name+"_dockersh", "by-hand-"+u.Name
	e2e.OnHost(t, "docker", "commit", own, "dsh-committed")
	t.Cleanup(func() { _ = e2e.TryDocker("rmi", "-f", "dsh-committed") })
	// As for a look at the work: with its mounts.
	e2e.OnHost(t, "docker", "create", "--name", byHand, "--volumes-from", own, "--entrypoint", "sleep", "dsh-committed", "1000")
	if out := e2e.MustCtl(t, "ls", "-q"); strings.Contains(out, byHand) || !strings.Contains(out, own) {
		t.Errorf("the list is %q", out)
	}
	if out, _, status := e2e.Ctl(t, "rm", "--yes", byHand); status != 1 {
		t.Errorf("%d: %q", status, out)
	}
	if out := e2e.MustCtl(t, "reset", "--yes", "--user", u.Name); out != own+": removed\n" {
		t.Errorf("%q", out)
	}
	e2e.Inspect(t, byHand, "{{.Id}}")
	// It has the name that the user's next login looks for.
	e2e.OnHost(t, "docker", "rename", byHand, own)
	e2e.SSH(t, u, "true").Refused(t, "did not make")
	e2e.Inspect(t, own, "{{.Id}}")
}

// An image can have the labels of any container, that of an ephemeral one too.
func TestSweepKeepsAContainerWhoseImageClaimsToBeEphemeral(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "a service looks for what was left when it starts")
	id, err := os.ReadFile("/etc/machine-id")
	if err != nil {
		t.Fatal(err)
	}
	const name = "by-hand-ephemeral"
	e2e.DockerImages.MakeImage(t, "dsh-claims", "true", "LABEL dockersh.uid=0", `LABEL dockersh.identity="u=root"`, "LABEL dockersh.ephemeral=0s",
		"LABEL dockersh.create=x", "LABEL dockersh.mark="+strings.TrimSpace(string(id))+":/run/dockersh/c/"+name)
	e2e.OnHost(t, "docker", "create", "--name", name, "--entrypoint", "/bin/sleep", "dsh-claims", "1000")
	t.Cleanup(func() { _ = e2e.TryDocker("rm", "-f", name) })
	u := e2e.NewUser(t, "ephemeral")
	e2e.CanLogIn(t, u)
	e2e.Broker.Restart(t, syscall.SIGTERM)
	e2e.CanLogIn(t, u)
	e2e.ContainersGone(t, u)
	time.Sleep(7 * time.Second) // a sweep has passed
	e2e.Inspect(t, name, "{{.Id}}")
}
