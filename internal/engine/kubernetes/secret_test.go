package kubernetes

import (
	"os"
	"path/filepath"
	"testing"
)

func TestKubeconfigIsOnlyThatOfRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of others")
	}
	file := filepath.Join(t.TempDir(), "config")
	for _, c := range []struct {
		mode os.FileMode
		uid  int
		ok   bool
	}{{0o600, 0, true}, {0o400, 0, true}, {0o640, 0, false}, {0o604, 0, false}, {0o600, 1, false}} {
		for _, err := range []error{os.WriteFile(file, nil, 0o600), os.Chmod(file, c.mode), os.Chown(file, c.uid, 0)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := checkSecret(file); (err == nil) != c.ok {
			t.Errorf("%o of %d: %v", c.mode, c.uid, err)
		}
		_ = os.Remove(file)
	}
}
