//go:build e2e

package doors

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestUserWhoMayNotUseTheEngineIsRefused(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor, "other doors need no right to use the engine")
	u := e2e.NewUser(t)
	e2e.OnHost(t, "gpasswd", "-d", u.Name, "docker")
	e2e.SSH(t, u, "true").Refused(t, "you may not use the container engine yourself")
}

// withoutRuntimeDir takes a user's runtime directory away, and returns the name in /tmp that
// stands for it. Another test may have had the uid.
func withoutRuntimeDir(t *testing.T, u *e2e.Account) (place string) {
	t.Helper()
	place = "/tmp/dockersh-" + strconv.Itoa(u.UID)
	remove := func() {
		all, _ := filepath.Glob(place + "*")
		for _, dir := range append(all, "/run/user/"+strconv.Itoa(u.UID)) {
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
	}
	remove()
	t.Cleanup(remove)
	return place
}

func TestWithoutARuntimeDirectoryTheOneInTmpIsTheUsersAlone(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor, "the state of other doors is root's")
	u := e2e.NewUser(t)
	place := withoutRuntimeDir(t, u)
	if err := errors.Join(os.Mkdir(place, 0o777), os.Chown(place, u.UID, u.GID), os.Chmod(place, 0o777)); err != nil {
		t.Fatal(err)
	}
	e2e.SSH(t, u, "true").Refused(t)
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	e2e.CanLogIn(t, u)
}

// Somebody was in /tmp first.
func TestNameThatAnotherTookInTmpLocksNobodyOut(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor, "the state of other doors is root's")
	u, other := e2e.NewUser(t), e2e.NewAccount(t, "/bin/bash")
	place := withoutRuntimeDir(t, u)
	if out, err := e2e.AsUser(other, "mkdir", "-m", "755", place).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	e2e.CanLogIn(t, u)
	e2e.SSH(t, u, "echo warm").Want(t, "warm\n", "", 0)
	c := e2e.LiveSession(t, u)
	if out := e2e.MustCtl(t, "sessions"); !strings.Contains(out, " "+u.Name+" ") {
		t.Errorf("the session is not listed: %s", out)
	}
	c.Line("exit")
	c.Wait()
}

func TestDirectDoorContainersAreNotShared(t *testing.T) {
	e2e.Run(t, e2e.DirectDoor, "a root broker knows the containers of all users: TestUsersShareAContainer")
	a, b := e2e.NewUser(t, "containername = dsh-ours"), e2e.NewUser(t, "containername = dsh-ours")
	e2e.CanLogIn(t, a)
	e2e.SSH(t, b, "true").Refused(t, "was made by another user")
	e2e.CanLogIn(t, a)
}
