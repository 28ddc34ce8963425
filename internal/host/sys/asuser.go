package sys

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// AsUser runs f with the rights of a user on the file system, on a thread that
// is thrown away afterwards. For root, who looks at what is a user's own
// (setfsuid(2); only root can).
func AsUser(uid, gid int, f func()) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		done <- asUser(uid, gid, f)
	}()
	return <-done
}

func asUser(uid, gid int, f func()) error {
	// The raw calls: the C library's, and Go's, change every thread.
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		return errno
	}
	for _, set := range []struct {
		call uintptr
		id   int
	}{{unix.SYS_SETFSGID, gid}, {unix.SYS_SETFSUID, uid}} {
		_, _, _ = unix.RawSyscall(set.call, uintptr(set.id), 0, 0)
		// These calls report no errors: the second gives what the first left.
		if now, _, _ := unix.RawSyscall(set.call, ^uintptr(0), 0, 0); int(now) != set.id {
			return unix.EPERM
		}
	}
	f()
	return nil
}
