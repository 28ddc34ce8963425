package rundir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestALockKeepsOthersOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := LockFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := LockFile(ctx, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	unlock()
	if unlock, err = LockFile(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	unlock()
}

// The holder of a lock may take the whole directory away between the two steps of
// another. Who then has the old file must not think that he has the lock which the
// next ones look for.
func TestTheLockOfADirectoryThatIsGoneIsNone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c", "lock")
	place := func() *os.File {
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	old := place()
	if !same(int(old.Fd()), path) {
		t.Error("the lock is not taken for itself")
	}
	if err := os.Rename(filepath.Dir(path), filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	if same(int(old.Fd()), path) {
		t.Error("a lock without a name is taken for one")
	}
	place()
	if same(int(old.Fd()), path) {
		t.Error("an old lock is taken for the new one")
	}
}

func TestTurnsAreNoMoreThanThereAre(t *testing.T) {
	run := t.TempDir()
	var held []func()
	for range 3 {
		release, err := Turn(t.Context(), run, 3)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, release)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Turn(ctx, run, 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a fourth: %v", err)
	}
	held[1]()
	release, err := Turn(t.Context(), run, 3)
	if err != nil {
		t.Fatal(err)
	}
	release()
}
