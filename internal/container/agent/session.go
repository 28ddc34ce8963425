package agent

import (
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/environ"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// firstMessage is how long a client may take for its first message.
const firstMessage = 10 * time.Second

// server starts the sessions of one container user.
type server struct {
	children *children
	env      []string // of every session, under its own
	home     string
	dirs     *sessionDirs
	oom      oomCounter
	ended    atomic.Uint32 // number of sessions that have ended
}

// collectEvery is the number of sessions after which the heap is collected. By itself
// the runtime would let it grow to 4 MB first, in every container.
const collectEvery = 16

// accept serves until the listening socket fails.
func (s *server) accept(l *seqpacket.Listener) error {
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			go s.serve(channel.Conn{Socket: c})
		case seqpacket.OutOfResources(err):
			time.Sleep(10 * time.Millisecond) // some session will end
		default:
			return err
		}
	}
}

// serve handles one connection: a session, or a question of the broker.
func (s *server) serve(c channel.Conn) {
	defer c.Close()
	lift := c.Within(firstMessage)
	// Clients send their descriptors only after this: in the queue of a frozen agent
	// they would be stuck.
	if err := c.Send(&wire.Hello{Version: wire.AgentVersion}); err != nil {
		return
	}
	m, fds, err := c.Recv()
	if err != nil {
		return
	}
	switch m := m.(type) {
	case *wire.Start:
		dir := &sessionDir{all: s.dirs}
		defer dir.remove()
		pid, err := s.start(c, m, fds, dir)
		seqpacket.CloseAll(fds)
		if err != nil {
			_ = c.Send(wire.NewError(err))
			return
		}
		lift()
		s.passSignals(c, pid)
		if s.ended.Add(1)%collectEvery == 0 {
			runtime.GC()
		}
	case *wire.Count:
		_ = c.Send(&wire.Processes{Others: countProcesses()})
	default:
		seqpacket.CloseAll(fds)
	}
}

// passSignals passes the client's signals on until the connection ends, and then hangs
// up the session if it is still alive.
func (s *server) passSignals(c channel.Conn, pid int) {
	defer s.children.hangUp(pid)
	for {
		m, fds, err := c.Recv()
		if err != nil {
			return
		}
		sig, ok := m.(*wire.Signal)
		if !ok {
			seqpacket.CloseAll(fds)
			return
		}
		s.children.signal(pid, unix.Signal(sig.Number))
	}
}

// start starts the session and sends Started.
func (s *server) start(c channel.Conn, m *wire.Start, fds []int, own *sessionDir) (pid int, refused *usererr.Error) {
	if refused := m.Check(fds, sys.Passable); refused != nil {
		return 0, refused
	}
	env := environ.Overlay(s.env, m.Env...)
	dir, notice := s.directory(m.Cwd)
	p := inherit(m.Inherited)
	p.Path, p.Argv, p.Dir, p.Terminal = m.Path, withRemoteCommand(m.Argv, env), dir, m.Terminal
	var pass []int
	if m.Terminal {
		pty, err := openPty(m)
		if err != nil {
			return 0, usererr.New(usererr.Container, "the container cannot allocate a terminal: "+err.Error(), "", err)
		}
		defer pty.close()
		var replaced string
		env, replaced = withKnownTerminal(withTTY(env, pty.name), terminfo(s.home))
		if len(m.Argv) == 1 { // no command: somebody reads it
			notice = joined(notice, replaced)
		}
		fds = []int{pty.slave, pty.slave, pty.slave}
		pass = []int{pty.master}
	}
	started := &wire.Started{Terminal: m.Terminal, Notice: notice}
	// Without a place for them the session has neither, and the front prints that.
	if m.SSHAgent {
		if fd, path, err := own.listen(s.home); err == nil {
			defer func() { _ = unix.Close(fd) }()
			pass = append(pass, fd)
			env = environ.Overlay(env, "SSH_AUTH_SOCK="+path)
			started.SSHAgent = true
		}
	}
	if m.Display != "" {
		if path, err := own.writeCookies(m.Cookies, s.home); err == nil {
			env = environ.Overlay(env, "DISPLAY="+m.Display, "XAUTHORITY="+path)
			started.X11 = true
		}
	}
	p.Env, p.Stdio = env, [3]int(fds)

	before := s.oom.read()
	onStart := func() { _ = c.Send(started, pass...) } // passSignals notices a client that is gone
	onEnd := func(status uint32) {
		_ = c.Send(&wire.Exit{Status: status, OutOfMemory: s.oom.read() > before})
	}
	pid, err := s.children.start(p, onStart, onEnd)
	if err != nil {
		if ignored, ok := m.UseFallback(); ok {
			p.Path, p.Argv, p.Env = m.Path, withRemoteCommand(m.Argv, env), environ.Overlay(p.Env, "SHELL="+m.Path)
			started.Notice = joined(ignored, notice)
			pid, err = s.children.start(p, onStart, onEnd)
		}
	}
	if err != nil {
		return 0, cannotRun(m.Path, err)
	}
	return pid, nil
}

// cannotRun explains a failed exec.
func cannotRun(path string, err error) *usererr.Error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return wire.NoProgram(path, err)
	case errors.Is(err, unix.E2BIG):
		return usererr.New(usererr.Container, "the command line is too long", "", err)
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM):
		return usererr.New(usererr.Busy, "the container has no room for another process", "end some of your processes", err)
	}
	return usererr.New(usererr.Container, "cannot run "+path+" in the container: "+err.Error(), "", err)
}

// directory returns where the session starts: where it asks to, else in the home, else
// in /, as sshd does.
func (s *server) directory(asked string) (dir, notice string) {
	for _, d := range []string{asked, s.home} {
		if d == "" || d[0] != '/' {
			continue
		}
		if unix.Access(d+"/.", unix.X_OK) == nil { // a directory that may be entered
			return d, notice
		}
		if notice == "" {
			notice = "could not change directory to " + d
		}
	}
	return "/", notice
}

// joined returns both notices in one line; each may be empty.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
