package mounts

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSourceThatAUserCanSwapIsNotMounted(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make directories of other users")
	}
	// Not below /tmp, which everybody may write.
	top, err := os.MkdirTemp("/var/lib", "dockersh-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	at := func(name string) string { return filepath.Join(top, name) }
	for _, d := range []string{"homes/alice/work", "shared"} {
		if err := os.MkdirAll(at(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"link": "homes", "absolute": at("homes"), "loop": "loop", "homes/alice/etc": "/etc", "away": at("homes/alice/etc")} {
		if err := os.Symlink(to, at(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(at("homes/alice"), 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(at("shared"), 0o1777); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at("shared/x"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"homes/alice": true, "link/alice": true, "absolute/alice": true, "homes": true,
		"homes/alice/work": false, "homes/alice/etc": false, "away": false, "loop": false, "none": false, "shared/x": false,
		"link/../homes/alice/./work": false,
	} {
		if err := CheckMountSource(at(name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
