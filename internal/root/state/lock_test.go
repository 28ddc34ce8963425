package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestLockKeepsOthersOut(t *testing.T) {
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

// The holder of a lock may remove the whole directory between the two steps of another
// process. That one has opened the old file, and must not take it for the lock that
// the next ones look for.
func TestLockOfARemovedDirectoryIsNotTaken(t *testing.T) {
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
	if !hasName(int(old.Fd()), path) {
		t.Error("the lock does not have its name")
	}
	if err := os.Rename(filepath.Dir(path), filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	if hasName(int(old.Fd()), path) {
		t.Error("a removed lock passes for one")
	}
	place()
	if hasName(int(old.Fd()), path) {
		t.Error("an old lock passes for the new one")
	}
}

func TestSlotsAreNoMoreThanThereAre(t *testing.T) {
	run := RunDir(t.TempDir())
	var held []func()
	for range 3 {
		release, err := run.TakeSlot(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, release)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := run.TakeSlot(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a fourth: %v", err)
	}
	held[1]()
	release, err := run.TakeSlot(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	release()
}
