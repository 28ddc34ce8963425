// Package spawn starts the program of a session with limits, umask and nice value of its
// own, which package syscall cannot. They are set in the child process before its program
// runs: later, the program could have started others without them; and a further program of
// ours in between would add its start to each login.
package spawn

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
)

// Program is a program to start, in a session of its own.
type Program struct {
	Path      string
	Argv, Env []string
	Dir       string
	Stdio     [3]int // close-on-exec, and none of them below 3
	Terminal  bool   // Stdio[0] becomes the controlling terminal
	Limits    [limits.Number]limits.Limit
	Umask     int // negative: that of this process
	Nice      int
}

// child is what the child process needs. It must not allocate.
type child struct {
	path, dir *byte
	argv, env **byte
	stdio     [3]uintptr
	terminal  bool
	limits    [limits.Number]limits.Limit
	umask     int
	nice      int
	errno     syscall.Errno // of the step that failed; the child writes it, in our memory
}

//go:linkname beforeFork syscall.runtime_BeforeFork
func beforeFork()

//go:linkname afterFork syscall.runtime_AfterFork
func afterFork()

//go:linkname afterForkInChild syscall.runtime_AfterForkInChild
func afterForkInChild()

// vfork is clone(2) with flags among which is CLONE_VFORK. It is not that of package syscall: a
// call of that one from here has a frame in between, which the child would overwrite.
func vfork(flags uintptr) (pid, errno uintptr)

// Start starts a program. Where that fails once there is a child, the child has ended and
// must be waited for.
func Start(p *Program) (pid int, err error) {
	c := &child{terminal: p.Terminal, limits: p.Limits, umask: p.Umask, nice: p.Nice}
	for i, fd := range p.Stdio {
		if fd < len(p.Stdio) {
			return 0, unix.EBADF
		}
		c.stdio[i] = uintptr(fd)
	}
	if c.path, err = syscall.BytePtrFromString(p.Path); err != nil {
		return 0, err
	}
	if c.dir, err = syscall.BytePtrFromString(p.Dir); err != nil {
		return 0, err
	}
	argv, err := syscall.SlicePtrFromStrings(p.Argv)
	if err != nil {
		return 0, err
	}
	env, err := syscall.SlicePtrFromStrings(p.Env)
	if err != nil {
		return 0, err
	}
	c.argv, c.env = &argv[0], &env[0]

	syscall.ForkLock.Lock() // descriptors that are not close-on-exec yet
	beforeFork()            // blocks all signals
	n, errno := fork(c)
	afterFork()
	syscall.ForkLock.Unlock()
	runtime.KeepAlive(argv)
	runtime.KeepAlive(env)
	if errno == 0 {
		errno = uintptr(c.errno)
	}
	if errno != 0 {
		return 0, syscall.Errno(errno)
	}
	return int(n), nil
}

// fork makes the child. Like what the child calls, it must not grow the stack; and the parent
// must return at once, because the child has used the stack from here on.
//
//go:noinline
//go:nosplit
//go:norace
func fork(c *child) (pid, errno uintptr) {
	pid, errno = vfork(syscall.CLONE_VM | syscall.CLONE_VFORK | uintptr(syscall.SIGCHLD))
	if pid != 0 || errno != 0 {
		return pid, errno
	}
	afterForkInChild() // unblocks signals
	c.errno = c.exec()
	if c.terminal {
		// The parent goes on before the kernel takes the terminal from a process that exits,
		// and could not give it to another one. This also ends the process, by SIGHUP.
		_, _, _ = syscall.RawSyscall(syscall.SYS_IOCTL, 0, syscall.TIOCNOTTY, 0)
	}
	for {
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT, 127, 0, 0)
	}
}

// exec prepares the child process and runs its program. It returns only the error.
//
//go:nosplit
//go:norace
func (c *child) exec() (errno syscall.Errno) {
	if _, _, errno = syscall.RawSyscall(syscall.SYS_SETSID, 0, 0, 0); errno != 0 {
		return errno
	}
	if _, _, errno = syscall.RawSyscall(syscall.SYS_CHDIR, uintptr(unsafe.Pointer(c.dir)), 0, 0); errno != 0 {
		return errno
	}
	for i := range c.stdio {
		if _, _, errno = syscall.RawSyscall(syscall.SYS_DUP3, c.stdio[i], uintptr(i), 0); errno != 0 {
			return errno
		}
	}
	if c.terminal {
		if _, _, errno = syscall.RawSyscall(syscall.SYS_IOCTL, 0, syscall.TIOCSCTTY, 0); errno != 0 {
			return errno
		}
	}
	// What cannot be set stays as it is in the container.
	if c.umask >= 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_UMASK, uintptr(c.umask), 0, 0)
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_SETPRIORITY, unix.PRIO_PROCESS, 0, uintptr(c.nice))
	for i := range c.limits {
		_, _, _ = syscall.RawSyscall6(unix.SYS_PRLIMIT64, 0, uintptr(i), uintptr(unsafe.Pointer(&c.limits[i])), 0, 0, 0)
	}
	_, _, errno = syscall.RawSyscall(syscall.SYS_EXECVE,
		uintptr(unsafe.Pointer(c.path)), uintptr(unsafe.Pointer(c.argv)), uintptr(unsafe.Pointer(c.env)))
	return errno
}
