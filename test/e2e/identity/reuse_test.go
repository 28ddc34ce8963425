//go:build e2e

package identity

import (
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// userdel alice; useradd alice: the same name is another person.
func TestAccountWhoseNameIsUsedAgainDoesNotEnterTheOldContainer(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "dockershctl resets the containers of root brokers")
	u := e2e.NewUser(t)
	e2e.SSH(t, u, "echo secret >~/f").Want(t, "", "", 0)
	old, name := u.UID, u.Name+"_dockersh"
	u.Renumber(t)
	warm := e2e.SSH(t, u, "cat "+u.Home+"/f")
	warm.Refused(t, "an earlier account "+u.Name+", with uid "+strconv.Itoa(old), "dockershctl reset "+name)
	e2e.OnHost(t, "docker", "stop", "-t", "0", name)
	e2e.SSH(t, u, "cat "+u.Home+"/f").Refused(t, "earlier account")
	if e2e.Broker.Alive() {
		e2e.Broker.Restart(t, syscall.SIGTERM)
		e2e.SSH(t, u, "cat "+u.Home+"/f").Refused(t, "earlier account")
	}
	if out := e2e.MustCtl(t, "ls"); !strings.Contains(out, u.Name+" (gone)") {
		t.Errorf("the list is %q", out)
	}
	if out, _, _ := e2e.Ctl(t, "doctor", "--no-login", u.Name); !strings.Contains(out, "dockershctl rm "+name) {
		t.Errorf("the doctor says %q", out)
	}
	e2e.MustCtl(t, "reset", "--yes", name)
	e2e.SSH(t, u, "id -u; ls ~").Want(t, strconv.Itoa(u.UID)+"\n", "", 0)
	if out := e2e.MustCtl(t, "ls"); strings.Contains(out, u.Name+" (gone)") {
		t.Errorf("the list is %q", out)
	}
}
