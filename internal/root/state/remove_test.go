package state

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/rules/policy"
)

// full is a directory with everything that can be in it.
func full(t *testing.T) (run RunDir, c ContainerDir) {
	run = RunDir(t.TempDir())
	c = run.Container("c")
	if err := errors.Join(c.Make(), os.Mkdir(c.Home(), 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"agent-x.sock", "in/start.sock", "lock", "owner", "owner.new"} {
		if err := os.WriteFile(c.file(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return run, c
}

func TestDirectoryIsRemovedWhole(t *testing.T) {
	run, d := full(t)
	for range 2 { // the second time, after a broker that was killed half-way
		if err := d.Remove(); err != nil {
			t.Fatal(err)
		}
		if left, _ := os.ReadDir(run.containers()); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
		_, other := full(t)
		if err := errors.Join(os.Rename(string(other), string(d)+removing), d.Make()); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.FinishRemovals(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(run.containers()); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// A broker that is killed while it starts a container leaves the user's home
// mounted there.
func TestHomeThatIsStillMountedIsNotEmptied(t *testing.T) {
	_, d := full(t)
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "thesis"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(home, d.Home(), "", unix.MS_BIND, ""); err != nil {
		t.Skip("this process may not mount: ", err)
	}
	gone := string(d) + removing + "/home"
	t.Cleanup(func() { _ = unix.Unmount(gone, 0) })
	if err := d.Remove(); err == nil {
		t.Error("removed, although the home is mounted")
	}
	if _, err := os.Stat(filepath.Join(home, "thesis")); err != nil {
		t.Fatalf("the user's file: %v", err)
	}
}

func TestShutContainerIsShutUntilOpened(t *testing.T) {
	d := RunDir(t.TempDir()).Container("c")
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	for _, owned := range []bool{false, true} {
		want := policy.Owner{UID: 7, Identity: "u=x"}
		if owned {
			if err := d.SetOwner(want); err != nil {
				t.Fatal(err)
			}
		}
		if d.IsShut() {
			t.Error("it is shut at the start")
		}
		if err := d.Shut(); err != nil || !d.IsShut() {
			t.Errorf("not shut: %v", err)
		}
		if o, err := d.Owner(); err == nil {
			t.Errorf("shut, and owned by %v", o)
		}
		if err := errors.Join(d.Open(), d.Open()); err != nil || d.IsShut() {
			t.Errorf("not open: %v", err)
		}
		if got, err := d.Owner(); owned != (err == nil) || owned && got != want {
			t.Errorf("owner %v %v", got, err)
		}
	}
}
