//go:build e2e

package lifecycle

import (
	"os"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestContainerThatWasPrunedIsReportedAtTheNextLogin(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root has a directory that outlives a reboot")
	u := e2e.NewUser(t)
	prune := func(args ...string) {
		t.Helper()
		e2e.OnHost(t, "docker", "stop", "-t", "0", u.Name+"_dockersh")
		e2e.OnHost(t, append([]string{"docker", "container", "prune", "-f"}, args...)...)
	}
	e2e.SSH(t, u, "echo work >~/f").Want(t, "", "", 0)
	prune("--filter", "label!=dockersh.uid") // as docs/administration.md has it
	e2e.SSH(t, u, "cat ~/f").Want(t, "work\n", "", 0)
	prune()
	e2e.SSH(t, u, "ls ~").Want(t, "", e2e.NewContainer, 0)
	e2e.SSH(t, u, "ls ~").Want(t, "", "", 0)

	// Over a reboot, which leaves nothing in /run.
	e2e.OnHost(t, "docker", "rm", "-f", u.Name+"_dockersh")
	if err := os.RemoveAll(e2e.RunDir + "/c/" + u.Name + "_dockersh"); err != nil {
		t.Fatal(err)
	}
	c := e2e.SSHConsole(t, u)
	c.FirstPrompt()
	if shown := c.Shown(); !strings.Contains(shown, strings.TrimSpace(e2e.NewContainer)) {
		t.Errorf("an interactive login shows %q", shown)
	}
	c.Line("exit")
	c.Wait()

	// What dockersh removes itself was not lost.
	e2e.MustCtl(t, "reset", "--yes", u.Name+"_dockersh")
	e2e.SSH(t, u, "ls ~").Want(t, "", "", 0)
}
