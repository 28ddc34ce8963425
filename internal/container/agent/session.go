package agent

import (
	"errors"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// startLimit is how long a front may take for its first message.
const startLimit = 10 * time.Second

type server struct {
	procs *procs
	base  []string
	home  string
	oom   oomCounter
	past  atomic.Uint32 // sessions that have ended
}

// tidyEvery is after how many sessions the heap is collected. By itself the
// runtime would let it grow to 4 MB first, in every container.
const tidyEvery = 16

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

// serve is one connection: one session, or one question of the broker.
func (s *server) serve(c channel.Conn) {
	defer c.Close()
	lift := c.Within(startLimit)
	// Before anyone parts with descriptors: they would be stuck in the queue of
	// an agent that is frozen.
	if err := c.Send(&wire.Hello{Version: wire.Version}); err != nil {
		return
	}
	m, fds, err := c.Recv()
	if err != nil {
		return
	}
	switch m := m.(type) {
	case *wire.Start:
		pid, err := s.start(c, m, fds)
		seqpacket.CloseAll(fds)
		if err != nil {
			_ = c.Send(wire.NewError(err))
			return
		}
		lift()
		s.attend(c, pid)
		if s.past.Add(1)%tidyEvery == 0 {
			runtime.GC()
		}
	case *wire.Count:
		_ = c.Send(&wire.Sessions{Live: uint32(s.procs.live()), Others: others()})
	default:
		seqpacket.CloseAll(fds)
	}
}

// attend waits for the end of the connection, however it comes, and hangs the
// session up if it still lives then.
func (s *server) attend(c channel.Conn, pid int) {
	defer s.procs.hangUp(pid)
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
		s.procs.signal(pid, unix.Signal(sig.Number))
	}
}

// start begins the session and tells the front so.
func (s *server) start(c channel.Conn, m *wire.Start, fds []int) (pid int, refused *usererr.Error) {
	if refused := m.Check(fds, sys.Passable); refused != nil {
		return 0, refused
	}
	env := overlay(s.base, m.Env)
	dir, notice := s.directory(m.Cwd)
	started := &wire.Started{Terminal: m.Terminal, Notice: notice}
	attr := &syscall.ProcAttr{Dir: dir, Sys: &syscall.SysProcAttr{Setsid: true}}
	var pass []int
	if m.Terminal {
		pty, err := openPty(m)
		if err != nil {
			return 0, usererr.New(usererr.Container, "no terminal to be had in the container: "+err.Error(), "", err)
		}
		defer pty.close()
		env = ttyEnv(env, pty.name)
		attr.Sys.Setctty = true
		fds = []int{pty.slave, pty.slave, pty.slave}
		pass = []int{pty.master}
	}
	attr.Env = env
	attr.Files = []uintptr{uintptr(fds[0]), uintptr(fds[1]), uintptr(fds[2])}

	before := s.oom.read()
	pid, err := s.procs.start(m.Path, m.Argv, attr, func() {
		_ = c.Send(started, pass...) // a front that is gone is seen by attend
	}, func(status uint32) {
		_ = c.Send(&wire.Exit{Status: status, OutOfMemory: s.oom.read() > before})
	})
	if err != nil {
		return 0, cannotRun(m.Path, err)
	}
	return pid, nil
}

// cannotRun puts a failed exec into words.
func cannotRun(path string, err error) *usererr.Error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return usererr.New(usererr.Container, "there is no "+path+" in the container",
			`ask the administrator: "shell" must name a shell of the image`, err)
	case errors.Is(err, unix.E2BIG):
		return usererr.New(usererr.Container, "the command line is too long", "", err)
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM):
		return usererr.New(usererr.Busy, "the container has no room for another process", "end some of your processes", err)
	}
	return usererr.New(usererr.Container, "cannot run "+path+" in the container: "+err.Error(), "", err)
}

// directory is where the session starts: as asked, else home, else /, as sshd
// does it.
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

func indexByte(s string, b byte) int {
	for i := range len(s) {
		if s[i] == b {
			return i
		}
	}
	return -1
}
