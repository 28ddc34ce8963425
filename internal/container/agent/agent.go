// Package agent is what runs inside the container: process 1, or a process that
// the engine's exec started. It has the container user's rights and no others.
// It takes its listening socket from the broker, and from then on starts a
// session for every connection.
package agent

import (
	"errors"
	"os"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/version"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// StartSocket is where the broker awaits a new agent, as the container sees it.
// The directory is mounted read-only.
const StartSocket = "/.dockersh/run/start.sock"

// Main runs the agent; the result is the exit code.
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
// agent: it reaps, and ends when it is told to.
func pause() int {
	runtime.GOMAXPROCS(1)
	procs := newProcs()
	go procs.reap()
	procs.endOnTerm()
	return 0
}

// run is an agent that takes its socket from the broker at path.
func run(path string) int {
	// One processor at a time is enough for us, and saves waking threads of ours
	// between the steps of a login; sessions are processes of their own.
	runtime.GOMAXPROCS(1)
	sys.CloseOnExecFrom(3)
	// The listening socket must not be for the user's other processes to take:
	// without this, anything of the same uid could trace us or read our memory.
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	// Not process 1 when the engine's exec started us: orphans of our sessions
	// are then still ours to reap.
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	procs := newProcs()
	go procs.reap()
	go procs.endOnTerm()
	serve, fd := register(path)
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		return fail(err)
	}
	s := &server{procs: procs, base: baseEnv(os.Environ(), serve), home: serve.Home, oom: openOOM()}
	return fail(s.accept(l))
}

func fail(err error) int {
	_, _ = os.Stderr.WriteString("dockersh-init: error: " + err.Error() + "\n")
	return 1
}

var errGreeting = errors.New("the broker broke the protocol")

// register waits for the broker and takes the listening socket from it. It waits
// for ever, in steps of at most a quarter of a second: a container that was
// started by hand becomes usable with the next login.
func register(path string) (*wire.Serve, int) {
	for pause := time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		if c, err := seqpacket.Dial(path); err == nil {
			serve, fd, err := greet(channel.Conn{Socket: c})
			_ = c.Close()
			if err == nil {
				return serve, fd
			}
		}
		time.Sleep(pause)
	}
}

func greet(c channel.Conn) (*wire.Serve, int, error) {
	c.Within(10 * time.Second)
	if err := c.Send(&wire.Hello{Version: wire.Version}); err != nil {
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

// baseEnv is the environment of every session before its own: the container's,
// with the identity that the broker gave.
func baseEnv(environ []string, who *wire.Serve) []string {
	return overlay(environ, []string{"USER=" + who.User, "LOGNAME=" + who.User, "HOME=" + who.Home})
}

// overlay gives base with entries of over replacing those of the same name.
func overlay(base, over []string) []string {
	out := make([]string, 0, len(base)+len(over))
	for _, e := range base {
		if !named(over, name(e)) {
			out = append(out, e)
		}
	}
	return append(out, over...)
}

func named(env []string, n string) bool {
	for _, e := range env {
		if name(e) == n {
			return true
		}
	}
	return false
}

func name(entry string) string {
	for i := range len(entry) {
		if entry[i] == '=' {
			return entry[:i]
		}
	}
	return entry
}

// ttyEnv corrects what sshd said of its own terminal.
func ttyEnv(env []string, tty string) []string {
	if !named(env, "SSH_CONNECTION") {
		return env
	}
	return overlay(env, []string{"SSH_TTY=" + tty})
}

// oomCounter tells how often the kernel killed in this container for memory.
type oomCounter struct{ fd int }

// openOOM opens the counter of the container's cgroup, v2 or v1. A kernel
// without one is a counter that stands still.
func openOOM() oomCounter {
	for _, p := range []string{"/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"} {
		if fd, err := unix.Open(p, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0); err == nil {
			return oomCounter{fd}
		}
	}
	return oomCounter{-1}
}

func (o oomCounter) read() int {
	var b [512]byte
	n, err := unix.Pread(o.fd, b[:], 0)
	if err != nil {
		return 0
	}
	return parseOOM(string(b[:n]))
}

// parseOOM finds the line "oom_kill N".
func parseOOM(s string) int {
	const key = "oom_kill "
	for len(s) > 0 {
		line := s
		if i := indexByte(s, '\n'); i >= 0 {
			line, s = s[:i], s[i+1:]
		} else {
			s = ""
		}
		if len(line) > len(key) && line[:len(key)] == key {
			n, err := strconv.Atoi(line[len(key):])
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}
