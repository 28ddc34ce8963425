package rundir

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// LockFile takes a lock among processes; the file is made when it is missing. It
// asks again and again rather than wait in the kernel, where no context reaches.
func LockFile(ctx context.Context, path string) (unlock func(), err error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 10*time.Millisecond) {
		unlock, err := tryLock(path)
		if err != errLocked {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Turn takes one of n places among processes that share a run-time directory.
func Turn(ctx context.Context, run string, n int) (release func(), err error) {
	for {
		for i := range n {
			release, err := tryLock(filepath.Join(run, "turn-"+strconv.Itoa(i)))
			if err != errLocked {
				return release, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var errLocked = errors.New("another process has the lock")

func tryLock(path string) (unlock func(), err error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == nil && same(fd, path) {
		return func() { _ = unix.Close(fd) }, nil
	}
	_ = unix.Close(fd)
	if err != nil && err != unix.EWOULDBLOCK && err != unix.EINTR {
		return nil, err
	}
	return nil, errLocked
}

// same tells whether the file that was opened still has its name: who held the
// lock may have taken the directory away, and the lock of a file that nobody
// finds keeps nobody out.
func same(fd int, path string) bool {
	var mine, there unix.Stat_t
	return unix.Fstat(fd, &mine) == nil && unix.Lstat(path, &there) == nil && mine.Ino == there.Ino && mine.Dev == there.Dev
}
