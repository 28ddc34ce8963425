//go:build e2e

package lifecycle

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// A home that is mounted while the container runs, as autofs and pam_mount do, and one
// that was made again.
func TestHomeThatIsReplacedOnTheHostIsMountedInTheNextSession(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for what, replace := range map[string]func(t *testing.T, u *e2e.Account){
		"mounted": func(t *testing.T, u *e2e.Account) {
			e2e.OnHost(t, "mount", "-t", "tmpfs", "home", u.Home)
			t.Cleanup(func() { e2e.OnHost(t, "umount", "-l", u.Home) })
		},
		"made again": func(t *testing.T, u *e2e.Account) {
			if err := os.Rename(u.Home, u.Home+".old"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(u.Home + ".old") })
			e2e.OnHost(t, "mkdir", u.Home)
		},
	} {
		t.Run(what, func(t *testing.T) {
			u := e2e.NewUser(t, "mounthome")
			e2e.SSH(t, u, "echo old >~/f; echo work >/tmp/f").Want(t, "", "", 0)
			c := e2e.LiveSession(t, u)
			id := u.Container(t)
			replace(t, u)
			e2e.OnHost(t, "chown", strconv.Itoa(u.UID), u.Home)
			e2e.OnHost(t, "sh", "-c", "echo new >"+u.Home+"/f")
			r := e2e.SSH(t, u, "cat ~/f")
			if r.Stdout != "old\n" || strings.Count(r.Stderr, "\n") != 1 || !strings.Contains(r.Stderr, u.Home+" was replaced on the host") {
				t.Errorf("beside a session: %+v", r)
			}
			c.Line("exit")
			c.Wait()
			e2e.Eventually(t, "the session has ended", func() bool {
				left, _ := filepath.Glob(u.StateDir() + "/s/*." + u.Name + "_*")
				return len(left) == 0
			})
			e2e.SSH(t, u, "cat ~/f /tmp/f").Want(t, "new\nwork\n", "", 0)
			if now := u.Container(t); now != id {
				t.Errorf("another container: %s, was %s", now, id)
			}
			e2e.SSH(t, u, "cat ~/f /tmp/f").Want(t, "new\nwork\n", "", 0)
		})
	}
}

// The administrator's own restart mounts it too.
func TestContainerStartedByHandHasWhatIsMountedNow(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	u := e2e.NewUser(t, "mounthome")
	e2e.CanLogIn(t, u)
	e2e.OnHost(t, "mount", "-t", "tmpfs", "home", u.Home)
	t.Cleanup(func() { e2e.OnHost(t, "umount", "-l", u.Home) })
	e2e.OnHost(t, "docker", "restart", "-t", "1", u.Container(t))
	c := e2e.LiveSession(t, u)
	e2e.SSH(t, u, "echo works").Want(t, "works\n", "", 0)
	c.Line("exit")
	c.Wait()
}
