//go:build e2e

package faults

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestRefusalsOfTheEngineAreExplained(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	for _, c := range [][2]string{
		{"network = none-such", "the container engine has no network none-such"},
		{"memory = 1", "refuses a limit of the settings: Minimum memory limit"},
		{"cpus = 999", "refuses a limit of the settings: Range of CPUs"},
		{"dockeropt = --runtime=nosuch", "has no runtime of the name in the settings"},
		{"dockeropt = --read-only", "--read-only in dockeropt"},
		{"dockeropt = -p 127.0.0.1:" + e2e.Port + ":80", "a port that the settings publish is taken"},
	} {
		u := e2e.NewUser(t, c[0])
		e2e.SSH(t, u, "true").Refused(t, c[1], "ask the administrator to run: ")
		if left := u.Containers(t); len(left) != 0 {
			t.Errorf("%s: left %q", c[0], left)
		}
	}
}

func TestReadOnlyRootWorksWhereTheImageKnowsTheUser(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "echo kept >f").Want(t, "", "", 0)
	e2e.OnHost(t, e2e.CtlPath, "commit", u.Name+"_dockersh", "dsh-knows")
	e2e.OnHost(t, e2e.CtlPath, "rm", "--yes", u.Name+"_dockersh")
	u.Configure(t, "imagename = dsh-knows", "dockeropt = --read-only")
	r := e2e.SSH(t, u, "id -un; cat f; echo x >y")
	if r.Stdout != u.Name+"\nkept\n" || !strings.Contains(r.Stderr, "Read-only file system") {
		t.Errorf("%+v", r)
	}
}

func TestRegistryThatIsAwayKeepsNobodyOut(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t, "imagename = dsh-busybox", "pull = always")
	e2e.SSH(t, u, "echo works").Want(t, "works\n", "dockersh: the image dsh-busybox cannot be pulled now, so the one that is here is used\n", 0)
	e2e.CanLogIn(t, u)
	v := e2e.NewUser(t, "imagename = none.invalid/x", "pull = always")
	e2e.SSH(t, v, "true").Refused(t, "there is no image none.invalid/x")
}
