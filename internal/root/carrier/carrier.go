// Package carrier is the process that carries the reverse forwards of one container: it
// accepts connections in the container's network, and connects each to a port of the host's
// loopback. It is dockersh-bridge, started by a broker, and goes on without it. It ends with
// the container.
package carrier

import (
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// Option is the first argument of a dockersh-bridge that is a carrier. Each further one is
// HOSTPORT:CONTAINERPORT; package reverse passes its descriptors.
const Option = "--reverse-forward"

// The descriptors that it inherits.
const (
	pidfd     = 3 // of the container's process 1
	_         = 4 // a lock, which it has as long as it runs
	listeners = 5 // the first of them, one for each forward
)

const (
	// nobody is the user, and the group, of overflowuid in proc_sys_kernel(5): no file belongs to them.
	nobody = 65534
	// maxConnections is how many connections are carried at a time, of all forwards. More wait
	// in the container.
	maxConnections = 256
	// maxFiles is enough for them: a connection has two sockets, and two pipes for splice(2).
	maxFiles = 8 * maxConnections
	// connectLimit is how long the service may take to accept a connection.
	connectLimit = 10 * time.Second
)

// Main carries until the container ends. It returns the exit code.
func Main(forwards []string) int {
	if len(forwards) == 0 || confine() != nil {
		return 1
	}
	runtime.GOMAXPROCS(1)
	ended := make(chan error, 1+len(forwards))
	go func() { ended <- awaitEnd(pidfd) }()
	free := make(chan struct{}, maxConnections)
	for i, forward := range forwards {
		port, _, _ := strings.Cut(forward, ":")
		file := os.NewFile(uintptr(listeners+i), "listener")
		l, err := net.FileListener(file)
		if err := errors.Join(err, file.Close()); err != nil {
			return 1
		}
		go func() { ended <- serve(l, "127.0.0.1:"+port, free) }()
	}
	if err := <-ended; err != nil {
		return 1 // without the lock, so that the next login has it started again
	}
	return 0
}

// confine gives up all rights, for good. The broker has set PR_SET_NO_NEW_PRIVS, which is of a
// thread, before it started this process.
func confine() error {
	signal.Ignore(unix.SIGHUP, unix.SIGPIPE, unix.SIGINT, unix.SIGQUIT)
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{})
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: maxFiles, Max: maxFiles})
	// It counts all processes of the user, which are the carriers of all containers.
	_ = unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	return errors.Join(syscall.Setgroups(nil), syscall.Setresgid(nobody, nobody, nobody), sys.GiveUpRoot(nobody),
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}

// awaitEnd returns when the process of a pidfd has ended.
func awaitEnd(pidfd int) error {
	_, err := sys.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1)
	return err
}

// serve carries each connection that l accepts to another one. It returns when l fails, as one
// does that root in the container destroys (SOCK_DESTROY in sock_diag(7)).
func serve(l net.Listener, to string, free chan struct{}) error {
	for {
		free <- struct{}{}
		inside, err := l.Accept()
		switch {
		case err == nil:
			go func() {
				defer func() { <-free }()
				carry(inside.(*net.TCPConn), to)
			}()
			continue
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
			time.Sleep(100 * time.Millisecond) // until another connection ends
		case !errors.Is(err, unix.ECONNABORTED):
			return err
		}
		<-free
	}
}

// carry copies bytes between a connection of the container and a new one until both
// directions have ended, or one has failed.
func carry(inside *net.TCPConn, to string) {
	defer inside.Close()
	c, err := net.DialTimeout("tcp4", to, connectLimit)
	if err != nil {
		_ = inside.SetLinger(0) // it is reset, as if nobody listened
		return
	}
	outside := c.(*net.TCPConn)
	defer outside.Close()
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		copyBytes(inside, outside)
	}()
	copyBytes(outside, inside)
	<-answers
}

// copyBytes copies until from has ended, and passes the end on. An error ends both.
func copyBytes(to, from *net.TCPConn) {
	_, err := io.Copy(to, from) // by splice(2)
	if err == nil {
		err = to.CloseWrite()
	}
	if err != nil {
		_ = to.Close()
		_ = from.Close()
	}
}
