// Package agent is what runs inside the container: process 1, or a process that
// the engine's exec started. It has the rights of the container user and no others.
// The broker passes it a listening socket, and from then on it starts a session for
// every connection.
package agent

import (
	"errors"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/version"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// StartSocket is where the broker waits for a new agent, as the container sees it.
// The directory is mounted read-only.
const StartSocket = "/.dockersh/run/start.sock"

// Main runs dockersh-init and returns its exit code.
func Main() int {
	switch args := os.Args; {
	case len(args) == 5 && args[1] == "adduser":
		if err := addUser(args[2], args[3], args[4]); err != nil {
			return fail(err)
		}
		return 0
	case len(args) == 2 && args[1] == "pause":
		return pause()
	case len(args) == 2 && args[1] == "--version":
		_, _ = os.Stdout.WriteString("dockersh-init " + version.Get() + "\n")
		return 0
	}
	return run(StartSocket)
}

// pause is process 1 of a container on another host, where no session reaches an
// agent: it reaps, and ends at SIGTERM.
func pause() int {
	runtime.GOMAXPROCS(1)
	c := newChildren()
	go c.reap()
	c.endOnTerm()
	return 0
}

// run is an agent that takes its socket from the broker at path.
func run(path string) int {
	// One processor at a time is enough for us, and saves waking our threads between
	// the steps of a login; sessions are processes of their own.
	runtime.GOMAXPROCS(1)
	sys.CloseOnExecFrom(3)
	c := newChildren() // it opens a file that is root's once this process is not dumpable
	// The user's other processes must not get at the listening socket: without this,
	// every process of the same uid could trace us or read our memory.
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	// We are not process 1 if the engine's exec started us: this makes the orphans
	// of our sessions our children.
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	go c.reap()
	code, dirs := make(chan int, 2), &sessionDirs{}
	defer dirs.removeAll()
	go func() { c.endOnTerm(); code <- 0 }()
	go func() { code <- serve(path, c, dirs) }()
	return <-code
}

// serve starts sessions until the listening socket fails.
func serve(path string, c *children, dirs *sessionDirs) int {
	user, fd := register(path)
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		return fail(err)
	}
	s := &server{children: c, env: baseEnv(os.Environ(), user), home: user.Home, dirs: dirs, oom: openOOMCounter()}
	return fail(s.accept(l))
}

func fail(err error) int {
	_, _ = os.Stderr.WriteString("dockersh-init: error: " + err.Error() + "\n")
	return 1
}

var errGreeting = errors.New("the broker broke the protocol")

// register waits for the broker and takes the listening socket from it. It waits
// without limit, in steps of at most a second, so that a container that was started by hand
// becomes usable at the next login.
func register(path string) (*wire.Serve, int) {
	for delay := time.Millisecond; ; delay = min(2*delay, time.Second) {
		if c, err := seqpacket.Dial(path); err == nil {
			serve, fd, err := greet(channel.Conn{Socket: c})
			_ = c.Close()
			if err == nil {
				return serve, fd
			}
		}
		time.Sleep(delay)
	}
}

// greet sends our Hello and returns the answer with its descriptor.
func greet(c channel.Conn) (*wire.Serve, int, error) {
	c.Within(10 * time.Second)
	if err := c.Send(&wire.Hello{Version: wire.AgentVersion}); err != nil {
		return nil, -1, err
	}
	m, fds, err := c.Recv()
	if err != nil {
		return nil, -1, err
	}
	if serve, ok := m.(*wire.Serve); ok {
		return serve, fds[0], nil
	}
	seqpacket.CloseAll(fds)
	return nil, -1, errGreeting
}
