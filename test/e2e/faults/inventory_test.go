//go:build e2e

package faults

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// The inventory cannot be written. Nobody is kept from a container that exists.
func TestInventoryThatCannotBeWrittenStopsOnlyNewContainers(t *testing.T) {
	e2e.Run(t, e2e.AnyRootDoor, "only root has an inventory")
	lib := filepath.Dir(e2e.Inventory)
	for what, mount := range map[string]string{
		"read-only": `mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"`,
		"full":      `mount -t tmpfs -o mode=700,size=4k,nr_inodes=1 full "$0"`,
	} {
		t.Run(what, func(t *testing.T) {
			running, stopped, first := e2e.NewUser(t), e2e.NewUser(t), e2e.NewUser(t)
			e2e.CanLogIn(t, running)
			e2e.CanLogIn(t, stopped)
			if err := e2e.TryDocker("stop", "-t", "0", stopped.Container(t)); err != nil {
				t.Fatal(err)
			}
			e2e.OnHost(t, "sh", "-c", mount, lib)
			mounted := true
			unmount := func() {
				if mounted {
					e2e.Eventually(t, "no process has a file there open", func() bool { return exec.Command("umount", lib).Run() == nil })
				}
				mounted = false
			}
			t.Cleanup(unmount)
			e2e.CanLogIn(t, running)
			e2e.CanLogIn(t, stopped)
			for range 2 {
				e2e.SSH(t, first, "echo works").Refused(t, "this host cannot write its inventory of containers", "run: dockershctl doctor")
			}
			if left := first.Containers(t); len(left) != 0 {
				t.Errorf("left: %q", left)
			}
			out, _, _ := e2e.Ctl(t, "doctor", "--no-login", first.Name)
			if !strings.Contains(out, "error inventory: the first login of each user is refused: ") {
				t.Errorf("doctor: %q", out)
			}
			unmount()
			e2e.CanLogIn(t, first)
			if out, _, _ := e2e.Ctl(t, "doctor", "--no-login", first.Name); strings.Contains(out, "inventory") {
				t.Errorf("doctor afterwards: %q", out)
			}
		})
	}
}
