//go:build e2e

package forward

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// Git in a container clones from an account of the host, with a key that only the client's agent
// has.
func TestGitClonesThroughTheAgent(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.StartSSHAgent(t)
	e2e.OnHost(t, "ssh-add", "-q", e2e.Scratch+"/key")
	e2e.DockerImages.MakeImageWith(t, "dsh-git-ssh", "/usr/bin/git", "/usr/bin/ssh")
	u := e2e.NewUser(t, "imagename = dsh-git-ssh", "network = host")
	e2e.CanLogIn(t, u)
	repository := strings.TrimSpace(e2e.SSH(t, e2e.Plain, `cd $(mktemp -d) && git init -q . && echo committed >f && git add f &&
		git -c user.name=x -c user.email=x@example.org commit -q -m one && pwd`).Stdout)
	t.Cleanup(func() { e2e.SSH(t, e2e.Plain, "rm -rf '"+repository+"'") })
	clone := `export GIT_SSH_COMMAND='ssh -p ` + e2e.Port + ` -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'
		cd $(mktemp -d) && git clone -q --template= ` + e2e.Plain.Name + `@127.0.0.1:` + repository + ` r && cat r/f`
	e2e.SSH(t, u, "-A", "--", clone).Want(t, "committed\n", "", 0)
	if r := e2e.SSH(t, u, clone); r.Status == 0 || !strings.Contains(r.Stderr, "Permission denied") {
		t.Errorf("without an agent: %+v", r)
	}
}
