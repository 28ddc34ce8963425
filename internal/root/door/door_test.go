package door

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/usererr"
)

func TestTakenEnvironmentIsNoLongerInTheProcess(t *testing.T) {
	t.Setenv("LD_PRELOAD", "/evil.so")
	if taken := TakeEnviron(); !slices.Contains(taken, "LD_PRELOAD=/evil.so") {
		t.Errorf("taken: %q", taken)
	}
	if left := os.Environ(); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func TestOnlyAProgramOfRootIsStartedAsTheBroker(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	program := func(mode os.FileMode, uid int) string {
		path := filepath.Join(t.TempDir(), "dockershd")
		if err := errors.Join(os.WriteFile(path, nil, 0o700), os.Chown(path, uid, 0), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := program(0o755, 0)
	if err := CheckProgram(good); err != nil {
		t.Errorf("a program of root: %v", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := errors.Join(os.Symlink(good, link), unix.Mkfifo(fifo, 0o755)); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{
		"a program of another user": program(0o755, 65534), "one that root's group can write": program(0o775, 0), "one that everybody can write": program(0o757, 0),
		"a link": link, "a FIFO": fifo, "a directory": t.TempDir(), "nothing": good + "-not",
	} {
		var told *usererr.Error
		if err := CheckProgram(path); !errors.As(err, &told) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
