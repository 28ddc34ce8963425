package sys

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DiscardInherited makes a root process that a user started like one that init started. It
// undoes the user's cgroup, resource limits, the OOM score, and everything else that survives
// execve(2). A program calls it first. If the user changed attributes of threads it does
// not return, but starts the program again: Go's runtime has already copied those to other
// threads, and keeps them for child processes.
func DiscardInherited() error {
	if err := leaveCgroups(); err != nil {
		return err
	}
	resetLimits()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if !resetThread() {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return unix.Exec(self, os.Args, []string{})
}

func resetLimits() {
	const none = unix.RLIM_INFINITY
	for _, l := range [...]struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_FSIZE, none}, {unix.RLIMIT_CPU, none}, {unix.RLIMIT_AS, none}, {unix.RLIMIT_DATA, none},
		{unix.RLIMIT_NPROC, none}, {unix.RLIMIT_SIGPENDING, none}, {unix.RLIMIT_MEMLOCK, 8 << 20},
		{unix.RLIMIT_STACK, 8 << 20}, {unix.RLIMIT_NOFILE, 1 << 16},
		{unix.RLIMIT_CORE, 0}, // a core file would show root's memory
	} {
		// Not syscall.Setrlimit: child processes would get the old limit of files back.
		if unix.Prlimit(0, l.what, &unix.Rlimit{Cur: l.most, Max: l.most}, nil) == nil {
			continue
		}
		var now unix.Rlimit // root may lack CAP_SYS_RESOURCE, in a container for example
		if unix.Prlimit(0, l.what, nil, &now) == nil {
			_ = unix.Prlimit(0, l.what, &unix.Rlimit{Cur: now.Max, Max: now.Max}, nil)
		}
	}
	_ = writeFile("/proc/self/oom_score_adj", "0")
}

// resetThread undoes, for the calling thread, what a program inherits of sigprocmask(2),
// signal(7), sched(7), ioprio_set(2), personality(2) and PR_SET_TIMERSLACK of prctl(2). It
// reports whether it changed anything.
func resetThread() (changed bool) {
	for _, reset := range [...]func() bool{resetSignals, resetScheduling, resetProcessors, resetDiskPriority, resetPersonality,
		resetTimerSlack} {
		changed = reset() || changed
	}
	return changed
}

func resetSignals() (changed bool) {
	var none, old unix.Sigset_t
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &none, &old)
	changed = old != none
	for sig := uintptr(1); sig <= 64; sig++ {
		// The kernel's struct sigaction begins with the handler: 0 is SIG_DFL, 1 is
		// SIG_IGN. The handlers of Go's runtime do not survive execve(2).
		var action, dfl [64]byte
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, 0, uintptr(unsafe.Pointer(&action)), 8, 0, 0)
		if errno == 0 && *(*uintptr)(unsafe.Pointer(&action)) == 1 {
			_, _, errno = unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&dfl)), 0, 8, 0, 0)
			changed = changed || errno == 0
		}
	}
	return changed
}

// resetScheduling: a process that is slow while it holds a lock delays others.
func resetScheduling() bool {
	had, err := unix.SchedGetAttr(0, 0)
	if err != nil || had.Policy == unix.SCHED_NORMAL && had.Nice == 0 {
		return false
	}
	return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0) == nil
}

// resetProcessors takes the affinity of init, which the administrator may have set.
func resetProcessors() bool {
	var init, had, now unix.CPUSet
	if unix.SchedGetaffinity(1, &init) != nil || unix.SchedGetaffinity(0, &had) != nil || init == had {
		return false
	}
	// In this cpuset(7) the affinity may stay what it was: no reason to start again.
	return unix.SchedSetaffinity(0, &init) == nil && unix.SchedGetaffinity(0, &now) == nil && now != had
}

func resetDiskPriority() bool {
	const thisThread, classShift = 1, 13
	const usual = 2<<classShift | 4 // best effort, in the middle: Linux 5.15 to 5.19 report it for a thread without a priority
	had, _, errno := unix.RawSyscall(unix.SYS_IOPRIO_GET, thisThread, 0, 0)
	if errno != 0 || had>>classShift == 0 || had == usual {
		return false
	}
	_, _, errno = unix.RawSyscall(unix.SYS_IOPRIO_SET, thisThread, 0, 0)
	return errno == 0
}

func resetPersonality() bool {
	const ask = 0xffffffff
	had, _, errno := unix.RawSyscall(unix.SYS_PERSONALITY, ask, 0, 0)
	if errno != 0 || had == 0 {
		return false
	}
	_, _, errno = unix.RawSyscall(unix.SYS_PERSONALITY, 0, 0, 0)
	return errno == 0
}

func resetTimerSlack() bool {
	const usual = 50_000 // ns
	had, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	return err == nil && had != usual && unix.Prctl(unix.PR_SET_TIMERSLACK, usual, 0, 0, 0) == nil
}
