package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// AcquireSlot waits for one of n slots that all processes with this run-time directory share, and
// of which one user gets at most each. It returns the error of ctx.
//
// Files have no queue, and a slot that is free goes to the process that looks first. So that
// a user with many of them is not the first more often than another, only one process of a
// user looks at a time.
func (d RunDir) AcquireSlot(ctx context.Context, uid uint32, n, each int) (release func(), err error) {
	user := filepath.Join(string(d), "turn-"+strconv.FormatUint(uint64(uid), 10)+"-")
	releaseOfUser, err := lockOneOf(ctx, user, each)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			releaseOfUser()
		}
	}()
	next, err := LockFile(ctx, user+"next")
	if err != nil {
		return nil, err
	}
	defer removeAndUnlock(user+"next", next)
	releaseShared, err := lockOneOf(ctx, filepath.Join(string(d), "turn-"), n)
	if err != nil {
		return nil, err
	}
	return func() { releaseShared(); releaseOfUser() }, nil
}

// slotPause is how often a process looks for a free slot.
const slotPause = 20 * time.Millisecond

// lockOneOf takes one of n locks, whose files begin with prefix.
func lockOneOf(ctx context.Context, prefix string, n int) (unlock func(), err error) {
	for {
		for i := range n {
			path := prefix + strconv.Itoa(i)
			unlock, err := tryLock(path)
			if err == nil {
				return func() { removeAndUnlock(path, unlock) }, nil
			}
			if !errors.Is(err, errLocked) {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(slotPause):
		}
	}
}

// removeAndUnlock releases a lock and removes its file, which stood for nothing else. A
// process that opened it meanwhile finds that it has no name any more (tryLock).
func removeAndUnlock(path string, unlock func()) {
	_ = os.Remove(path)
	unlock()
}
