package state

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/wait"
)

// LockFile takes a lock among processes; the file is made if it is missing. It polls
// instead of waiting in the kernel, where no context reaches.
func LockFile(ctx context.Context, path string) (unlock func(), err error) {
	for pause := time.Millisecond; ; pause = min(2*pause, 10*time.Millisecond) {
		unlock, err := tryLock(path)
		if !errors.Is(err, errLocked) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

var errLocked = errors.New("another process has the lock")

func tryLock(path string) (unlock func(), err error) {
	fd, err := openLocked(path)
	if err != nil {
		return nil, err
	}
	return func() { _ = unix.Close(fd) }, nil
}

// openLocked opens a file, which is made if it is missing, and takes its lock; errLocked. The lock
// lasts as long as the descriptor or a copy of it is open, in any process.
func openLocked(path string) (fd int, err error) {
	fd, err = unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return -1, err
	}
	err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == nil && hasName(fd, path) {
		return fd, nil
	}
	_ = unix.Close(fd)
	if err != nil && !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
		return -1, err
	}
	return -1, errLocked
}

// hasName reports whether the file that was opened still has its name: the last holder
// of the lock may have removed the directory, and the lock of a file that no process
// finds keeps no process out.
func hasName(fd int, path string) bool {
	var opened, named unix.Stat_t
	return unix.Fstat(fd, &opened) == nil && unix.Lstat(path, &named) == nil && opened.Ino == named.Ino && opened.Dev == named.Dev
}

// Locks are the locks of containers: in this process in the order of coming (wait.Queue),
// and among processes (ContainerDir.Lock).
type Locks struct {
	Dir     RunDir
	OnError func(container string, err error) // called when Unlock cannot remove a directory

	queue wait.Queue
}

// Lock takes the lock of a container. Unlock removes the container's directory if
// nothing in it is worth keeping: the container was removed by the last holder, or
// never made.
func (l *Locks) Lock(ctx context.Context, container string) (unlock func(), err error) {
	next, err := l.queue.Lock(ctx, container)
	if err != nil {
		return nil, err
	}
	c := l.Dir.Container(container)
	release, err := c.Lock(ctx)
	if err != nil {
		next()
		return nil, err
	}
	return func() {
		if c.Unused() && !l.Dir.Retentions().Has(container) {
			if err := c.Remove(); err != nil {
				l.OnError(container, err)
			}
		}
		release()
		next()
	}, nil
}
