package sys

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrKeptRoot is a process that gave root up and still has some of it.
var ErrKeptRoot = errors.New("root's rights are not gone")

// GiveUpRoot makes every thread of this process uid's, for good, and tries the
// way back (setresuid(2), capabilities(7)). After an error the process must end.
func GiveUpRoot(uid int) error {
	if err := canSignal(); err != nil {
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

// canSignal tells whether the kernel still takes signals for this user's processes.
// Go's runtime reaches its other threads by a real-time signal, and sends it again
// and again, for ever, while RLIMIT_SIGPENDING forbids it. A timer needs the same
// place in the queue, and says so.
func canSignal() error {
	const enough = 16 // threads; a program that has just begun has fewer
	var timers [enough]int32
	made := 0
	defer func() {
		for _, t := range timers[:made] {
			_, _, _ = unix.RawSyscall(unix.SYS_TIMER_DELETE, uintptr(t), 0, 0)
		}
	}()
	for ; made < enough; made++ {
		_, _, errno := unix.RawSyscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&timers[made])))
		if errno != 0 {
			return errno
		}
	}
	return nil
}
