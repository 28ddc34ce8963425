package trustedpath

import (
	"os"
	"strings"
	"testing"
)

func TestCanMakeChangesNothing(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make directories of root")
	}
	top, err := os.MkdirTemp("/var/lib", "dockersh-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	if err := os.Mkdir(top+"/theirs", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(top+"/theirs", 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(".", top+"/link"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"": "", "/a/b": "", "/link": "", "/link/a": ""} {
		if at, err := CanMake(top + path); at != top+want || err != nil {
			t.Errorf("%s: %s %v", path, at, err)
		}
	}
	for _, path := range []string{"/theirs", "/theirs/a", "/link/theirs/a"} {
		if at, err := CanMake(top + path); err == nil || !strings.Contains(err.Error(), top+"/theirs can be changed by others than root") {
			t.Errorf("%s: %s %v", path, at, err)
		}
	}
	if left, _ := os.ReadDir(top); len(left) != 2 {
		t.Errorf("made: %v", left)
	}
}
