package trustedpath

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProgramMustBeChangeableByRootAlone(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make files of root")
	}
	dir := t.TempDir()
	file := func(name string, mode os.FileMode, uid int) string {
		p := filepath.Join(dir, name)
		for _, err := range []error{os.WriteFile(p, nil, 0o600), os.Chmod(p, mode), os.Chown(p, uid, 0)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	for p, why := range map[string]string{
		file("group", 0o775, 0):   "can be written by others",
		file("user", 0o755, 1):    "does not belong to root",
		file("data", 0o644, 0):    "is not a program",
		dir:                       "is not a program",
		file("tmp", 0o755, 0):     "can be written by others", // /tmp itself can
		filepath.Join(dir, "not"): "no such file",
	} {
		if err := Program(p); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, want %q", p, err, why)
		}
	}
	if err := Program("/bin/sh"); err != nil {
		t.Errorf("root's shell, by a link: %v", err)
	}
}

func TestOwnedNamesWhatOthersMay(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make files of root")
	}
	key := filepath.Join(t.TempDir(), "key")
	for mode, why := range map[os.FileMode]string{0o600: "", 0o640: "can be read", 0o602: "can be written"} {
		for _, err := range []error{os.WriteFile(key, nil, 0o600), os.Chmod(key, mode)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := Owned(key, 0o077); (err != nil) != (why != "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%o: %v", mode, err)
		}
	}
}
