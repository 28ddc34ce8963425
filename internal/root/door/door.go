// Package door starts a broker for one session, where no service listens on the socket.
// A front that is installed setuid root starts it as root, and gives root up. Any other
// front starts it with the user's own rights, for users who may use an engine themselves.
package door

import (
	"errors"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// ClearEnviron empties the environment of this process and returns what it was. From then
// on it is data that no library reads.
func ClearEnviron() []string {
	environ := os.Environ()
	os.Clearenv()
	return environ
}

// IsSetuid reports whether this program runs with other rights than its caller's.
func IsSetuid() bool {
	return unix.Getuid() != unix.Geteuid() || unix.Getgid() != unix.Getegid()
}

// StartAsRoot starts a broker as root, gives root up, and returns the connected socket. A
// setuid front calls it first: until it has returned, nothing of the caller has been read
// but the uid. After an error the program must exit.
func StartAsRoot() (fd int, err error) {
	uid := unix.Getuid()
	if unix.Geteuid() != 0 || unix.Getgid() != unix.Getegid() {
		return -1, badInstall("dockersh may be setuid root, and nothing else", nil)
	}
	fd, err = start(uid, &syscall.Credential{Uid: 0, Gid: 0})
	switch kept := sys.GiveUpRoot(uid); {
	case kept == nil:
	case errors.Is(kept, unix.EAGAIN): // at a limit of the user
		return -1, startFailed(kept)
	default:
		return -1, badInstall("dockersh cannot give up the rights of root", kept)
	}
	return fd, err
}

// ServiceNeverRan reports, for a caller that found no socket of the service, whether
// waiting for one is pointless: no service has run since boot, so none is being restarted.
// Root need not wait, having all rights of a broker.
func ServiceNeverRan() bool {
	return unix.Getuid() == 0 || errors.Is(unix.Access(paths.Lock(), unix.F_OK), unix.ENOENT)
}

// StartAsUser starts a broker with our own rights and returns the connected socket.
func StartAsUser() (fd int, err error) { return start(unix.Getuid(), nil) }

// start starts a broker as another user, or as this one if that is nil, for a session of
// uid. It returns the connected socket.
func start(uid int, as *syscall.Credential) (fd int, err error) {
	// It must not inherit what this process was started with.
	sys.CloseOnExecFrom(3)
	path := paths.Session()
	if err := CheckProgram(path); err != nil {
		return -1, err
	}
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, startFailed(err)
	}
	defer unix.Close(null)
	// The effective uid, which the kernel records in the socket, is the thread's.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pair, err := socketpair(uid)
	if err != nil {
		return -1, startFailed(err)
	}
	defer unix.Close(pair[1])
	_, err = syscall.ForkExec(path, []string{path}, &syscall.ProcAttr{
		Dir: "/", Env: environ[:], Files: []uintptr{uintptr(pair[1]), uintptr(null), uintptr(null)},
		Sys: &syscall.SysProcAttr{Setsid: true, Credential: as}, // out of the reach of the terminal's signals
	})
	if err != nil {
		_ = unix.Close(pair[0])
		return -1, startFailed(err)
	}
	return pair[0], nil
}

// environ is the environment of the broker. It does one thing after the other; threads
// for more would only delay its start.
var environ = [...]string{"GOMAXPROCS=1"}

// The tasks of a dockershd that continues for a dockershd-session, which has no engine.
const (
	OneShot   = "--one-shot"  // serve the connection on standard input
	Reconcile = "--reconcile" // do what is due for containers that nobody is in
)

// ExecBroker replaces this program with dockershd, which has an engine. execve(2) ends all
// threads first, and would wait for one that hangs: then dockershd is started with this
// program's standard input, and this program must end when ExecBroker returns nil.
func ExecBroker(task string, hangs bool) error {
	path := paths.Broker()
	if err := CheckProgram(path); err != nil {
		return err
	}
	if !hangs {
		return unix.Exec(path, []string{path, task}, environ[:])
	}
	_, err := syscall.ForkExec(path, []string{path, task}, &syscall.ProcAttr{
		Dir: "/", Env: environ[:], Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return startFailed(err)
	}
	_ = unix.Close(0) // the thread would keep it open
	return nil
}

// socketpair returns connected sockets whose peer is uid to the kernel (SO_PEERCRED).
// However a broker was started, it learns the user from the kernel alone.
func socketpair(uid int) (pair [2]int, err error) {
	euid := unix.Geteuid()
	if err := setEffectiveUID(uid); err != nil {
		return pair, err
	}
	pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if back := setEffectiveUID(euid); err == nil && back != nil {
		_, _ = unix.Close(pair[0]), unix.Close(pair[1])
		return pair, back
	}
	return pair, err
}

// setEffectiveUID sets the effective uid of this thread alone. The C library's call, and
// Go's, would set that of all threads.
func setEffectiveUID(uid int) error {
	const same = ^uintptr(0)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, same, uintptr(uid), same); errno != 0 {
		return errno
	}
	return nil
}

// CheckProgram is trustedpath.Program for a program of ours; the user may read its error.
func CheckProgram(path string) error {
	err := trustedpath.Program(path)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOENT):
		return usererr.New(usererr.Unavailable, "the dockersh service is not installed: there is no "+path, usererr.RunDoctor, err)
	}
	return badInstall(err.Error(), err)
}

func badInstall(what string, cause error) error {
	return usererr.New(usererr.Internal, "dockersh is not installed correctly: "+what, usererr.RunDoctor, cause)
}

func startFailed(err error) error {
	return usererr.New(usererr.Unavailable, "cannot start the dockersh service: "+err.Error(),
		"end some of your processes, or "+usererr.RunDoctor, err)
}
