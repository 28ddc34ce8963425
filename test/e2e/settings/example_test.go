//go:build e2e

package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// example uses one of the example settings files until the test ends. They name images
// of a public registry.
func example(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(os.Getenv("REPO"), "docs/examples", name+".dockershrc"))
	if err != nil {
		t.Fatal(err)
	}
	e2e.OnHost(t, "docker", "tag", "dsh-debian", "debian:12")
	e2e.WithSettings(t, string(text))
}

func TestExampleUniversity(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	a, b := e2e.NewUser(t), e2e.NewUser(t)
	b.Join(t, "datascience")
	if err := os.MkdirAll("/srv/data", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("/srv/homes", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, u := range []*e2e.Account{a, b} {
		home := "/srv/homes/" + u.Name
		if e2e.Door == "direct" { // a user's own broker cannot make it there
			e2e.OnHost(t, "install", "-d", "-o", u.Name, "-g", u.Name, home)
		}
		t.Cleanup(func() { os.RemoveAll(home) })
	}
	example(t, "university")
	e2e.SSH(t, a, "echo $SHELL; echo work >~/paper; test -e /data || echo none").Want(t, "/bin/bash\nnone\n", "", 0)
	if got := e2e.OnHost(t, "cat", "/srv/homes/"+a.Name+"/paper"); got != "work" {
		t.Errorf("%q", got)
	}
	e2e.SSH(t, b, "test -d /data && ! touch /data/x 2>/dev/null && echo read-only").Want(t, "read-only\n", "", 0)
	if got := e2e.Inspect(t, a.Container(t), "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}"); got != "2147483648 512" {
		t.Errorf("%s", got)
	}
	if got := e2e.Inspect(t, b.Container(t), "{{.HostConfig.Memory}}"); got != "17179869184" {
		t.Errorf("%s", got)
	}
	e2e.SSH(t, a, "echo '[dockersh]' >~/.dockersh; echo usercwd = /tmp >>~/.dockersh").Want(t, "", "", 0)
	e2e.SSH(t, a, "pwd").Want(t, "/tmp\n", "", 0)
	c := e2e.SSHConsole(t, a)
	c.Expect("Unix lab")
}

func TestExampleClassroom(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "a user's own broker shares no containers")
	trainer := e2e.NewUser(t)
	trainer.Join(t, "trainers")
	trainees := []*e2e.Account{e2e.NewUser(t), e2e.NewUser(t), e2e.NewUser(t)}
	example(t, "classroom")
	t.Cleanup(func() { e2e.OnHost(t, "docker", "rm", "-f", "classroom") })
	e2e.OnHost(t, e2e.CtlPath, "start", "--user", trainer.Name)
	e2e.SSH(t, trainees[0], "kill -9 1 2>/dev/null || echo alive").Want(t, "alive\n", "", 0)
	for _, u := range trainees {
		e2e.SSH(t, u, "whoami; hostname; pwd; echo hello >/tmp/from-$(whoami)").Want(t, u.Name+"\nclassroom\n/tmp\n", "", 0)
	}
	e2e.SSH(t, trainer, "whoami; ls /tmp/from-* | wc -l; rm /tmp/from-*").Want(t, "root\n3\n", "", 0)
	e2e.SSH(t, trainer, "su nobody -s /bin/sh -c whoami").Want(t, "nobody\n", "", 0)
	if r := e2e.SSH(t, trainees[0], "ls /tmp"); strings.Contains(r.Stdout, "from-") {
		t.Errorf("%q", r.Stdout)
	}
	if got := e2e.OnHost(t, "docker", "ps", "-aq", "--filter", "name=classroom"); strings.Contains(got, "\n") {
		t.Errorf("more than one container: %q", got)
	}
}

func TestExampleJumphost(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewAccount(t, "/bin/bash")
	u.Join(t, e2e.ForcedGroup)
	keeper := e2e.NewAccount(t, "/bin/bash")
	keeper.Join(t, e2e.ForcedGroup)
	keeper.Join(t, "hostadmins")
	example(t, "jumphost")
	e2e.SSH(t, u, "-o", "SetEnv=LC_TIME=x", "--", "hostname; echo $LC_TIME; grep CapBnd /proc/self/status").
		Want(t, "jump\n\nCapBnd:\t0000000000000000\n", "", 0)
	e2e.SSH(t, keeper, "test -e /.dockersh || echo outside").Want(t, "outside\n", "", 0)
	c := e2e.SSHConsole(t, u)
	c.Expect("Jump host")
}
