//go:build e2e

package doors

import (
	"os"
	"strconv"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestUserWhoMayNotUseTheEngineIsRefused(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor, "other doors need no right to use the engine")
	u := e2e.NewUser(t)
	e2e.OnHost(t, "gpasswd", "-d", u.Name, "docker")
	e2e.SSH(t, u, "true").Refused(t, "you may not use the container engine yourself")
}

func TestWithoutARuntimeDirectoryTheOneInTmpMustBeTheUsersOwn(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor, "the state of other doors is root's")
	u := e2e.NewUser(t)
	place := "/tmp/dockersh-" + strconv.Itoa(u.UID)
	t.Cleanup(func() { os.RemoveAll(place) })
	if err := os.RemoveAll("/run/user/" + strconv.Itoa(u.UID)); err != nil {
		t.Fatal(err)
	}
	// A directory that others can write. Another test may have had the uid.
	if err := os.RemoveAll(place); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(place, 0o777); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "true").Refused(t)
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	e2e.CanLogIn(t, u)
}

func TestDirectDoorContainersAreNotShared(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor, "a root broker knows the containers of all users: TestUsersShareAContainer")
	a, b := e2e.NewUser(t, "containername = dsh-ours"), e2e.NewUser(t, "containername = dsh-ours")
	e2e.CanLogIn(t, a)
	e2e.SSH(t, b, "true").Refused(t, "was made by another user")
	e2e.CanLogIn(t, a)
}
