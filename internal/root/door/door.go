// Package door is how the front comes to its broker where none is served on a
// socket: it starts one for this session alone. Installed setuid root, the front
// starts it as root and is the user's from then on; else it starts it with the
// user's own rights, for those who may use an engine themselves.
package door

import (
	"errors"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Environ empties this process's environment and gives what it was: data from
// here on, that no library reads.
func Environ() []string {
	environ := os.Environ()
	os.Clearenv()
	return environ
}

// Setuid tells whether this program runs with rights that are not its caller's.
func Setuid() bool {
	return unix.Getuid() != unix.Geteuid() || unix.Getgid() != unix.Getegid()
}

// FromSetuid starts a broker as root and gives root up. It is the first thing that
// a setuid front does: until it has returned, nothing of the caller's was looked
// at but his uid. It gives the connected socket. After an error the program must
// end.
func FromSetuid() (fd int, err error) {
	uid := unix.Getuid()
	if unix.Geteuid() != 0 || unix.Getgid() != unix.Getegid() {
		return -1, wrong("it may be setuid root, and nothing else", nil)
	}
	fd, err = start(uid, &syscall.Credential{Uid: 0, Gid: 0})
	switch kept := sys.GiveUpRoot(uid); {
	case kept == nil:
	case errors.Is(kept, unix.EAGAIN): // a limit of the user's
		return -1, cannot(kept)
	default:
		return -1, wrong("its rights cannot be given up", kept)
	}
	return fd, err
}

// NoService tells, once the service's socket was not there, that none is being
// restarted either: none has run since boot. root need not wait: he may do all
// that a broker does.
func NoService() bool {
	return unix.Getuid() == 0 || unix.Access(paths.Lock(), unix.F_OK) == unix.ENOENT
}

// Direct starts a broker with our own rights. It gives the connected socket.
func Direct() (fd int, err error) { return start(unix.Getuid(), nil) }

// start starts a broker as who, for a session of uid's.
func start(uid int, who *syscall.Credential) (fd int, err error) {
	// Whatever we were started with is not for it.
	sys.CloseOnExecFrom(3)
	path := paths.Session()
	if err := Trusted(path); err != nil {
		return -1, err
	}
	null, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, cannot(err)
	}
	defer unix.Close(null)
	// The thread's own: which uid the kernel writes into the socket.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pair, err := pairOf(uid)
	if err != nil {
		return -1, cannot(err)
	}
	defer unix.Close(pair[1])
	_, err = syscall.ForkExec(path, []string{path}, &syscall.ProcAttr{
		Dir: "/", Env: environ[:], Files: []uintptr{uintptr(pair[1]), uintptr(null), uintptr(null)},
		Sys: &syscall.SysProcAttr{Setsid: true, Credential: who}, // no signal of a terminal's reaches it
	})
	if err != nil {
		_ = unix.Close(pair[0])
		return -1, cannot(err)
	}
	return pair[0], nil
}

// environ is all that it gets. It does one thing after the other: with the threads for
// more it would begin later.
var environ = [...]string{"GOMAXPROCS=1"}

// What a broker is told that has an engine, and goes on for one without.
const (
	OneShot   = "--one-shot"  // serve the connection on standard input
	Reconcile = "--reconcile" // do what is due for containers that nobody is in
)

// Become makes of this process a broker that has an engine. It returns only after an
// error.
func Become(task string) error {
	path := paths.Broker()
	if err := Trusted(path); err != nil {
		return err
	}
	return unix.Exec(path, []string{path, task}, environ[:])
}

// pairOf makes connected sockets whose peer is uid to the kernel (SO_PEERCRED):
// the broker takes a user's word for nothing, through any door.
func pairOf(uid int) (pair [2]int, err error) {
	euid := unix.Geteuid()
	if err := effective(uid); err != nil {
		return pair, err
	}
	pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if back := effective(euid); err == nil && back != nil {
		_, _ = unix.Close(pair[0]), unix.Close(pair[1])
		return pair, back
	}
	return pair, err
}

// effective sets the effective uid of this thread alone, which the C library's
// call, and Go's, would not.
func effective(uid int) error {
	const same = ^uintptr(0)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, same, uintptr(uid), same); errno != 0 {
		return errno
	}
	return nil
}

// Trusted refuses a broker that others than root could have put there.
func Trusted(path string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return usererr.New(usererr.Unavailable, "the dockersh service is not installed: "+path+": "+err.Error(), usererr.RunDoctor, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || st.Uid != 0 || st.Mode&0o022 != 0 {
		return wrong(path+" must be a program of root's that nobody else can write", nil)
	}
	return nil
}

func wrong(what string, cause error) error {
	return usererr.New(usererr.Internal, "dockersh is not installed as it must be: "+what, usererr.RunDoctor, cause)
}

func cannot(err error) error {
	return usererr.New(usererr.Unavailable, "cannot start the dockersh service: "+err.Error(), "end some of your processes, or "+usererr.RunDoctor, err)
}
