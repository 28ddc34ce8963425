package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
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

// takes takes a slot that must be free, out of three of which a user gets two.
func takes(t *testing.T, run RunDir, uid uint32) (release func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	release, err := run.AcquireSlot(ctx, uid, 3, 2)
	if err != nil {
		t.Fatalf("user %d: %v", uid, err)
	}
	return release
}

// waits asks for a slot that must not be free.
func waits(t *testing.T, run RunDir, uid uint32) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := run.AcquireSlot(ctx, uid, 3, 2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("user %d: %v", uid, err)
	}
}

func TestSlotsAreNoMoreThanThereAre(t *testing.T) {
	run := RunDir(t.TempDir())
	var held []func()
	for uid := range uint32(3) {
		held = append(held, takes(t, run, uid))
	}
	waits(t, run, 4)
	held[1]()
	held[1] = takes(t, run, 4)
	for _, release := range held {
		release()
	}
	if left, err := os.ReadDir(string(run)); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

func TestOneUserLeavesASlotForTheNext(t *testing.T) {
	run := RunDir(t.TempDir())
	release := takes(t, run, 1)
	takes(t, run, 1)
	waits(t, run, 1)
	takes(t, run, 2)
	waits(t, run, 2) // there is none
	release()
	takes(t, run, 2)
}

// Many processes of one user wait. They are one among the users that wait for a slot.
func TestUserWithManyProcessesIsOneThatWaits(t *testing.T) {
	run := RunDir(t.TempDir())
	var all []func()
	for uid := range uint32(3) {
		all = append(all, takes(t, run, uid))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var crowd sync.WaitGroup
	for range 20 {
		crowd.Go(func() {
			if release, err := run.AcquireSlot(ctx, 7, 3, 2); err == nil {
				time.Sleep(time.Millisecond)
				release()
			}
		})
	}
	defer func() { cancel(); crowd.Wait() }()
	deadline := time.Now().Add(5 * time.Second)
	for { // until one of them looks for a slot
		if _, err := tryLock(string(run) + "/turn-7-next"); errors.Is(err, errLocked) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no process waits")
		}
		time.Sleep(time.Millisecond)
	}
	got := make(chan func())
	go func() { got <- takes(t, run, 8) }()
	for _, release := range all {
		release()
	}
	(<-got)()
}
