// Package forward serves a socket in the container in place of one of the host, with the
// user's rights: that of the user's ssh agent. The socket comes from the container, whose
// processes have it too. So each wait for it has a thread that nothing else waits for.
package forward

import (
	"errors"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/environ"
)

const (
	// maxConnections is how many connections are carried at a time. More wait in the
	// container.
	maxConnections = 64
	// bufferSize in bytes, of each direction of a connection. Messages of an ssh agent are short.
	bufferSize = 4 << 10
	// statLimit is how long the file system of sshd's socket may take to answer: newer sshds put
	// it into the home.
	statLimit = 3 * time.Second
	// connectLimit is how long sshd may take to accept a connection.
	connectLimit = 5 * time.Second
)

// SSHAgent returns the path of the socket at which sshd offers the user's ssh agent, in the
// environment of a session that sshd started; empty if there is none.
func SSHAgent(env []string, euid int) string {
	path := environ.Get(env, "SSH_AUTH_SOCK")
	if !strings.HasPrefix(path, "/") || environ.Get(env, "SSH_CONNECTION") == "" {
		return ""
	}
	own, _ := wait.Within(statLimit, func() bool {
		var st unix.Stat_t
		return unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFSOCK && int(st.Uid) == euid
	})
	if !own {
		return ""
	}
	return path
}

// Serve accepts connections at listener, a unix stream socket, and carries each to the socket
// at path. It returns when listener fails, and leaves it open.
func Serve(listener int, path string) {
	free := make(chan struct{}, maxConnections)
	for {
		free <- struct{}{}
		fd, err := accept(listener)
		if err != nil {
			return
		}
		go func() {
			defer func() { <-free }()
			carry(fd, path)
		}()
	}
}

// errShutDown means that the container has shut the socket down. That one is always ready, but
// accept4(2) fails with EAGAIN.
var errShutDown = errors.New("the socket is shut down")

// accept waits for a connection. It may wait in poll(2) or in accept4(2): whether the socket
// blocks is up to the container at any moment.
func accept(listener int) (fd int, err error) {
	for {
		ready := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN | unix.POLLRDHUP}}
		if _, err := sys.Poll(ready, -1); err != nil {
			return -1, err
		}
		if ready[0].Revents != unix.POLLIN {
			return -1, errShutDown
		}
		fd, _, err := unix.Accept4(listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch {
		case err == nil:
			return fd, nil
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, unix.ECONNABORTED):
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.ENOMEM):
			time.Sleep(100 * time.Millisecond) // until another connection ends
		default:
			return -1, err
		}
	}
}

// carry copies bytes between a connection of the container and a new one to path until both
// directions have ended.
func carry(inside int, path string) {
	in := os.NewFile(uintptr(inside), "inside")
	defer in.Close()
	outside, err := connect(path)
	if err != nil {
		return
	}
	out := os.NewFile(uintptr(outside), "outside")
	defer out.Close()
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		copyBytes(in, out)
	}()
	copyBytes(out, in)
	<-answers
}

// errNotSSHD means that another process listens there than one that we descend from.
var errNotSSHD = errors.New("the socket is not that of our sshd")

// connect returns a non-blocking socket that is connected to sshd's at path. The environment
// that names it may come from a file in the home (pam_env(8)), and the user has other sockets
// on the host: by that of systemd or D-Bus, the container could start programs there.
func connect(path string) (int, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	limit := unix.NsecToTimeval(connectLimit.Nanoseconds())
	err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err == nil && !isOfAncestor(fd) {
		err = errNotSSHD
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// maxDepth is how many processes there may be between sshd and this one.
const maxDepth = 16

// isOfAncestor reports whether the process that listens at the other end is this one, or one
// that it descends from.
func isOfAncestor(fd int) bool {
	peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return false
	}
	for pid, depth := os.Getpid(), 0; pid > 1 && depth <= maxDepth; depth++ {
		if pid == int(peer.Pid) {
			return true
		}
		p, err := proc.Of(pid)
		if err != nil {
			return false
		}
		pid = p.Parent
	}
	return false
}

// copyBytes copies until nothing follows or nobody reads, and passes that end on. One buffer
// is in flight, so that a slow reader slows the writer.
func copyBytes(to, from *os.File) {
	buf := make([]byte, bufferSize)
	for {
		n, err := from.Read(buf)
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			break
		}
	}
	shutdown(to, unix.SHUT_WR)
	shutdown(from, unix.SHUT_RD)
}

func shutdown(f *os.File, how int) {
	if c, err := f.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) { _ = unix.Shutdown(int(fd), how) })
	}
}
