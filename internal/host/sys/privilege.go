package sys

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrKeptRoot means that a process gave up root and still has some of its rights.
var ErrKeptRoot = errors.New("the process still has rights of root")

// GiveUpRoot sets the ids of every thread of this process to uid, for good, and proves it by trying
// to undo it (setresuid(2), capabilities(7)). After an error the process must exit.
func GiveUpRoot(uid int) error {
	if err := checkSignalQueue(); err != nil {
		return err
	}
	if err := unix.Setresuid(uid, uid, uid); err != nil {
		return err
	}
	real, effective, saved := unix.Getresuid()
	if real != uid || effective != uid || saved != uid {
		return ErrKeptRoot
	}
	if uid == 0 {
		return nil
	}
	for _, back := range []func() error{
		func() error { return unix.Setresuid(-1, 0, -1) },
		func() error { return unix.Setuid(0) },
	} {
		if back() == nil {
			return ErrKeptRoot
		}
	}
	var header = unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return err
	}
	for _, c := range have {
		if c.Effective|c.Permitted|c.Inheritable != 0 {
			return ErrKeptRoot
		}
	}
	return nil
}

// checkSignalQueue returns unix.EAGAIN if the kernel would not queue signals to processes
// of this user. Go's runtime reaches its other threads by a real-time signal, and repeats
// that forever while RLIMIT_SIGPENDING forbids it. Each timer takes a place in the same
// queue, and fails if there is none.
func checkSignalQueue() error {
	const threads = 16 // more than a program has that has just started
	var timers [threads]int32
	n := 0
	defer func() {
		for _, t := range timers[:n] {
			_, _, _ = unix.RawSyscall(unix.SYS_TIMER_DELETE, uintptr(t), 0, 0)
		}
	}()
	for ; n < threads; n++ {
		_, _, errno := unix.RawSyscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&timers[n])))
		if errno != 0 {
			return errno
		}
	}
	return nil
}
