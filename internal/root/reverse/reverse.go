// Package reverse makes services of the host's loopback reachable in a container: it makes
// the listening sockets in the container's network, and starts the process that carries their
// connections (package carrier), unless one does already.
package reverse

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/netns"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/carrier"
	"github.com/dockersh/dockersh/internal/root/state"
)

// Why a forward is not there.
var (
	// ErrTaken is returned where a program in the container listens on the port.
	ErrTaken = errors.New("a program in the container listens on its port")
	// ErrStarted is returned where a process carries others for this start of the container.
	ErrStarted = errors.New("the container was started without it")
	// ErrTooMany is returned where Starter.Acquire refuses.
	ErrTooMany = errors.New("the user has too many containers with reverse forwards")
)

const (
	// endLimit is how long the process of the container's last start may take to end.
	endLimit = 3 * time.Second
	// backlog is how many connections wait in the container until they are accepted.
	backlog = 128
)

// Starter starts carriers.
type Starter struct {
	Program string // path of dockersh-bridge
	Network string // path of the host's network namespace
	Log     *slog.Logger

	// Acquire asks whether one more may be started, and Release is called when that has ended.
	Acquire func() bool
	Release func()
}

// Failure is a forward that is not carried, and why.
type Failure struct {
	Forward string
	Err     error
}

// Ensure makes sure that forwards (HOSTPORT:CONTAINERPORT) are carried into the container of
// process 1, as long as that runs. It returns those that are not.
func (s Starter) Ensure(ctx context.Context, dir state.ContainerDir, one proc.Stat, forwards []string) (failed []Failure) {
	ctx, cancel := context.WithTimeout(ctx, endLimit)
	defer cancel()
	lock, carried, err := dir.LastStart().AcquireReverse(ctx, one)
	if err != nil {
		return FailAll(forwards, err)
	}
	if lock == nil {
		return FailAll(slices.DeleteFunc(slices.Clone(forwards), func(f string) bool { return slices.Contains(carried, f) }), ErrStarted)
	}
	defer lock.Close() // the carrier has a copy
	files, err := open(one)
	if err != nil {
		return FailAll(forwards, err)
	}
	defer files.close()
	for _, f := range forwards {
		if err := files.listen(f); err != nil {
			failed = append(failed, Failure{f, err})
		} else {
			carried = append(carried, f)
		}
	}
	if len(carried) == 0 {
		return failed
	}
	if err := errors.Join(dir.LastStart().WriteReverse(lock, one, carried), s.start(dir.Name(), lock, files, carried)); err != nil {
		return FailAll(forwards, err)
	}
	return failed
}

// FailAll returns a failure of each forward.
func FailAll(forwards []string, err error) (failed []Failure) {
	for _, f := range forwards {
		failed = append(failed, Failure{f, err})
	}
	return failed
}

// files are what a carrier is given.
type files struct {
	one       *os.File // pidfd of the container's process 1
	ns        *os.File // its network
	listeners []*os.File
}

// open opens a process and its network, which is not the host's.
func open(one proc.Stat) (*files, error) {
	fd, err := unix.PidfdOpen(one.Pid, 0)
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	f := &files{one: os.NewFile(uintptr(fd), "process 1")}
	if f.ns, err = netns.Of(one); err != nil { // it looks after the pidfd was opened whose number that is
		_ = f.one.Close()
		return nil, err
	}
	return f, nil
}

func (f *files) close() {
	for _, file := range append(f.listeners, f.one, f.ns) {
		_ = file.Close()
	}
}

// listen adds a socket that listens in the container for a forward. A socket stays in the
// network that it was made in.
func (f *files) listen(forward string) error {
	_, port, _ := strings.Cut(forward, ":")
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	fd, listenErr := -1, error(nil)
	err = netns.In(f.ns, func() { fd, listenErr = listen(n) })
	if err := errors.Join(err, listenErr); err != nil {
		return err
	}
	f.listeners = append(f.listeners, os.NewFile(uintptr(fd), "listener"))
	return nil
}

func listen(port int) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) // as after a carrier that ended
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	}
	if err == nil {
		err = unix.Listen(fd, backlog)
	}
	if err == nil {
		return fd, nil
	}
	_ = unix.Close(fd)
	if errors.Is(err, unix.EADDRINUSE) {
		return -1, ErrTaken
	}
	return -1, os.NewSyscallError("listen", err)
}

// start starts the carrier. Nothing supervises it, and it goes on without this process.
func (s Starter) start(container string, lock *os.File, f *files, forwards []string) (err error) {
	if !s.Acquire() {
		return ErrTooMany
	}
	defer func() {
		if err != nil {
			s.Release()
		}
	}()
	cmd := exec.Command(s.Program, append([]string{carrier.Option}, forwards...)...)
	cmd.ExtraFiles = append([]*os.File{f.one, lock}, f.listeners...) // in the order that carrier.Main expects
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	host, err := os.Open(s.Network)
	if err != nil {
		return err
	}
	defer host.Close()
	var startErr error
	err = netns.In(host, func() {
		// The child inherits it from this thread.
		startErr = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
		if startErr == nil {
			startErr = cmd.Start()
		}
	})
	if err := errors.Join(err, startErr); err != nil {
		return err
	}
	go func() {
		defer s.Release()
		if err := cmd.Wait(); err != nil {
			s.Log.Warn("reverse forwards ended until the next login", "container", container, "forwards", forwards, "cause", err)
		}
	}()
	return nil
}
