package sys

import "golang.org/x/sys/unix"

// AsUser runs f with a user's rights to files (setfsuid(2)), on a thread that ends
// afterwards. Only root can do so: it is for root processes that read a user's files.
func AsUser(uid, gid int, f func()) (err error) {
	InOwnThread(func() { err = asUser(uid, gid, f) })
	return err
}

func asUser(uid, gid int, f func()) error {
	// Raw calls, because the C library's, and Go's, change every thread.
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		return errno
	}
	for _, set := range []struct {
		call uintptr
		id   int
	}{{unix.SYS_SETFSGID, gid}, {unix.SYS_SETFSUID, uid}} {
		_, _, _ = unix.RawSyscall(set.call, uintptr(set.id), 0, 0)
		// These calls report no errors, but return the previous value.
		if now, _, _ := unix.RawSyscall(set.call, ^uintptr(0), 0, 0); int(now) != set.id {
			return unix.EPERM
		}
	}
	f()
	return nil
}
