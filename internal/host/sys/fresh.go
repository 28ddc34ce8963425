package sys

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Fresh makes a process of root's, which a user started, as if init had: it takes
// back his limits, what the kernel is to kill first, and whatever else crosses
// execve(2). It is for the first moment of a program. Where the user left his mark
// on threads it does not return: Go's runtime has handed that on to other threads
// by now, and keeps it for the children, so the program is started again.
func Fresh() error {
	freshLimits()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if !freshThread() {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return unix.Exec(self, os.Args, []string{})
}

func freshLimits() {
	const none = unix.RLIM_INFINITY
	for _, l := range [...]struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_FSIZE, none}, {unix.RLIMIT_CPU, none}, {unix.RLIMIT_AS, none}, {unix.RLIMIT_DATA, none},
		{unix.RLIMIT_NPROC, none}, {unix.RLIMIT_SIGPENDING, none}, {unix.RLIMIT_MEMLOCK, 8 << 20}, {unix.RLIMIT_STACK, 8 << 20}, {unix.RLIMIT_NOFILE, 1 << 16},
		{unix.RLIMIT_CORE, 0}, // what root's memory holds is nobody else's to read
	} {
		// Not syscall's: that one leaves the old limit to what we start.
		if unix.Prlimit(0, l.what, &unix.Rlimit{Cur: l.most, Max: l.most}, nil) == nil {
			continue
		}
		var now unix.Rlimit // a root without CAP_SYS_RESOURCE, in a container perhaps
		if unix.Prlimit(0, l.what, nil, &now) == nil {
			_ = unix.Prlimit(0, l.what, &unix.Rlimit{Cur: now.Max, Max: now.Max}, nil)
		}
	}
	if fd, err := unix.Open("/proc/self/oom_score_adj", unix.O_WRONLY|unix.O_CLOEXEC, 0); err == nil {
		_, _ = Write(fd, []byte("0"))
		_ = unix.Close(fd)
	}
}

// freshThread undoes for the calling thread what sigprocmask(2), signal(7),
// sched(7), ioprio_set(2), personality(2) and PR_SET_TIMERSLACK of prctl(2) leave
// to a program. It tells whether it did anything.
func freshThread() (changed bool) {
	for _, fresh := range [...]func() bool{freshSignals, freshScheduling, freshProcessors, freshDisk, freshKernel, freshTimers} {
		changed = fresh() || changed
	}
	return changed
}

func freshSignals() (changed bool) {
	var none, old unix.Sigset_t
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &none, &old)
	changed = old != none
	for sig := uintptr(1); sig <= 64; sig++ {
		// The kernel's struct sigaction begins with the handler: 0 is SIG_DFL, 1 is
		// SIG_IGN. Those that Go's runtime has caught end with it.
		var action, dfl [64]byte
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
		if errno == 0 && *(*uintptr)(unsafe.Pointer(&action)) == 1 {
			_, _, errno = unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&dfl)), 0, 8, 0, 0)
			changed = changed || errno == 0
		}
	}
	return changed
}

// freshScheduling: who is slow with a lock holds up others.
func freshScheduling() bool {
	had, err := unix.SchedGetAttr(0, 0)
	if err != nil || had.Policy == unix.SCHED_NORMAL && had.Nice == 0 {
		return false
	}
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0) == nil
}

// freshProcessors: those of init, which the administrator may have chosen.
func freshProcessors() bool {
	var init, had, now unix.CPUSet
	if unix.SchedGetaffinity(1, &init) != nil || unix.SchedGetaffinity(0, &had) != nil || init == had {
		return false
	}
	// Only some of them may be had in this cpuset(7): no reason to begin again.
	return unix.SchedSetaffinity(0, &init) == nil && unix.SchedGetaffinity(0, &now) == nil && now != had
}

func freshDisk() bool {
	const thisThread, classShift = 1, 13
	const usual = 2<<classShift | 4 // best effort, in the middle: what Linux 5.15 to 5.19 tell of a thread that has none
	had, _, errno := unix.RawSyscall(unix.SYS_IOPRIO_GET, thisThread, 0, 0)
	if errno != 0 || had>>classShift == 0 || had == usual {
		return false
	}
	_, _, errno = unix.RawSyscall(unix.SYS_IOPRIO_SET, thisThread, 0, 0)
	return errno == 0
}

func freshKernel() bool {
	const ask = 0xffffffff
	had, _, errno := unix.RawSyscall(unix.SYS_PERSONALITY, ask, 0, 0)
	if errno != 0 || had == 0 {
		return false
	}
	_, _, errno = unix.RawSyscall(unix.SYS_PERSONALITY, 0, 0, 0)
	return errno == 0
}

func freshTimers() bool {
	const usual = 50_000 // ns
	had, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	return err == nil && had != usual && unix.Prctl(unix.PR_SET_TIMERSLACK, usual, 0, 0, 0) == nil
}
