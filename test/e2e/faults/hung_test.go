//go:build e2e

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/test/e2e"
)

// hang mounts a file system that answers nothing, as of a server that is down.
func hang(t *testing.T, dir string) {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("this machine has no FUSE: ", err)
	}
	if err := unix.Mount("hung", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other", fd)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd); _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

func TestHomesThatDoNotAnswerHoldNoOtherUserUp(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "through the direct door users do not wait for each other")
	const logins = 4
	for range 2 {
		u := e2e.NewUser(t, "containername = %u-%x", "ephemeral", "mounthome", "mounthomefrom = /srv/hung-%u")
		dir := "/srv/hung-" + u.Name
		e2e.OnHost(t, "install", "-d", "-o", u.Name, dir)
		t.Cleanup(func() { _ = os.Remove(dir) })
		hang(t, dir)
		for range logins {
			cmd := e2e.AsUser(u, e2e.Front, "-c", "true")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		}
		e2e.Eventually(t, "all logins wait for their containers", func() bool {
			waiting, _ := filepath.Glob(fmt.Sprintf("%s/s/%d.*~", u.StateDir(), u.UID))
			return len(waiting) == logins
		})
	}
	other := e2e.NewUser(t)
	out, err := exec.Command("timeout", "20", "setpriv", fmt.Sprintf("--reuid=%d", other.UID), fmt.Sprintf("--regid=%d", other.GID), "--clear-groups", e2e.Front, "-c", "echo works").CombinedOutput()
	if string(out) != "works\n" || err != nil {
		t.Errorf("the first login of another user: %q %v", out, err)
	}
}
