package sys

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DieBy ends this process by sig, as if it had no handler for it, so that the parent (sshd)
// sees that death. It returns only if sig does not end a process.
func DieBy(sig unix.Signal) {
	// A core file of this program helps nobody, and would be in the user's home.
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	// Go's runtime turns a SIGFPE or SIGSEGV into a panic, even a sent one, so the default
	// action has to be restored behind its back. A struct sigaction of zeros is SIG_DFL on
	// every architecture.
	var dfl [64]byte
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&dfl)), 0, 8, 0, 0)
	_ = unix.Kill(os.Getpid(), sig)
	// The signal goes to any thread that does not block it: if no other, to this one.
	var set [2]uint32
	bit := uint(sig) - 1
	set[bit/32] = 1 << (bit % 32)
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&set)), 0, 8, 0, 0)
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), sig)
}

// Pidfd returns a descriptor that becomes readable for poll(2) once process pid has ended.
func Pidfd(pid int) (int, error) { return unix.PidfdOpen(pid, 0) }

// SignalPidfd sends a signal to the process of a Pidfd, and never to another one that has
// got its number since (pidfd_send_signal(2)).
func SignalPidfd(fd int, sig unix.Signal) error { return unix.PidfdSendSignal(fd, sig, nil, 0) }
