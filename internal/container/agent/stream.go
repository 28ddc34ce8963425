package agent

import (
	"errors"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/frames"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// hangUpLimit is how long the hang-up of a session may take whose client is gone.
const hangUpLimit = 5 * time.Second

// PodMain runs dockersh-podinit and returns its exit code.
func PodMain() int {
	if len(os.Args) == 2 && os.Args[1] == "stream" {
		return stream()
	}
	return Main()
}

// stream is an agent for one session, whose client is at the other end of an exec of the engine. What
// a client passes as descriptors goes in frames over standard input and output. The end of the input
// hangs up the session.
func stream() int {
	runtime.GOMAXPROCS(1)
	sys.CloseOnExecFrom(3)
	c := newChildren()
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	// Caught rather than ignored, which sessions would inherit: a client that is gone is an error.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE, unix.SIGHUP)
	go c.reap()
	s := &streamed{
		children: c, dirs: &sessionDirs{}, out: os.Stdout, alive: frames.AliveLimit,
		credit: frames.NewCredit(), gone: make(chan struct{}), over: make(chan struct{}), served: make(chan struct{}),
	}
	defer s.dirs.removeAll()
	go s.read(os.Stdin)
	select {
	case <-s.over:
		<-s.gone // the end of this process can overtake what it wrote: see package frames
		return 0
	case <-s.gone:
	}
	s.hangUp()
	return 1
}

// streamed is a session in frames, and its client's side.
type streamed struct {
	children *children
	dirs     *sessionDirs
	alive    time.Duration // how long nothing of the client is waited for

	mu     sync.Mutex // of out
	out    *os.File
	credit *frames.Credit // of output

	client agentclient.Conn // to the agent that this process is, once there is a server
	server atomic.Pointer[server]
	served chan struct{} // closed when the agent has done with the session
	input  *streamInput
	master *os.File
	agents *frames.Connections // to the user's ssh agent; nil without one
	goOnce sync.Once
	gone   chan struct{} // the client's end
	over   chan struct{} // the session's end, once it was reported
}

// leave notes that the client is gone.
func (s *streamed) leave() { s.goOnce.Do(func() { close(s.gone); s.credit.End() }) }

// hangUp hangs up the session.
func (s *streamed) hangUp() {
	if s.server.Load() == nil {
		return
	}
	_ = unix.Shutdown(s.client.Fd(), unix.SHUT_RDWR) // another thread receives
	select {
	case <-s.served:
	case <-time.After(hangUpLimit):
	}
}

// send sends a frame.
func (s *streamed) send(k frames.Kind, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.out.Write(frames.Append(nil, k, data)); err != nil {
		s.leave()
	}
}

// sendOutput sends output when the client has room for it. Where the client is gone, nobody has it.
func (s *streamed) sendOutput(k frames.Kind, data []byte) {
	for n := 0; len(data) > 0; data = data[n:] {
		if n = s.credit.Use(len(data)); n == 0 {
			return
		}
		s.send(k, data[:n])
	}
}

func (s *streamed) sendMessage(m wire.Message) {
	if p, err := wire.Encode(m); err == nil {
		s.send(frames.Message, p)
	}
}

// read takes the client's frames until it is gone.
func (s *streamed) read(in *os.File) {
	defer s.leave()
	alive := time.AfterFunc(s.alive, s.leave)
	defer alive.Stop()
	buf := make([]byte, frames.MaxData)
	var r frames.Reader
	for {
		n, err := in.Read(buf)
		if n > 0 {
			alive.Reset(s.alive)
			if r.Feed(buf[:n], s.take) != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// take takes one frame of the client. It never waits for the program.
func (s *streamed) take(k frames.Kind, data []byte) error {
	switch k {
	case frames.Alive:
		return nil
	case frames.Message:
		m, err := wire.Decode(data)
		if err != nil {
			return err
		}
		return s.takeMessage(m)
	}
	if s.input == nil {
		return frames.ErrFrame
	}
	switch k {
	case frames.Taken:
		return s.credit.Taken(data)
	case frames.Input:
		return s.input.add(data)
	case frames.Bytes, frames.Shut, frames.Got:
		if s.agents == nil {
			return frames.ErrFrame
		}
		return s.agents.Take(k, data)
	case frames.End:
		s.input.end()
		return nil
	case frames.Size:
		n, err := frames.ParseNumber(data)
		if err == nil && s.master != nil {
			err = s.setSize(uint16(n>>16), uint16(n))
		}
		return err
	}
	return frames.ErrFrame
}

func (s *streamed) takeMessage(m wire.Message) error {
	switch m := m.(type) {
	case *wire.Serve:
		if s.server.Load() != nil {
			return frames.ErrFrame
		}
		return s.serve(m)
	case *wire.Start:
		if s.server.Load() == nil || s.input != nil {
			return frames.ErrFrame
		}
		if err := s.start(m); err != nil {
			s.sendMessage(wire.NewError(usererr.For(err)))
		}
		return nil
	case *wire.Signal:
		if s.input == nil {
			return frames.ErrFrame
		}
		_ = s.client.Signal(unix.Signal(m.Number))
		return nil
	}
	return frames.ErrFrame
}

// serve begins the agent.
func (s *streamed) serve(user *wire.Serve) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	agent, err := channel.New(pair[0])
	if err != nil {
		return err
	}
	if s.client, err = agentclient.New(pair[1]); err != nil {
		return err
	}
	one := &server{children: s.children, env: baseEnv(os.Environ(), user), home: user.Home, dirs: s.dirs, oom: openOOMCounter()}
	s.server.Store(one)
	go func() { defer close(s.served); one.serve(agent) }()
	hello, err := s.client.Hello()
	if err == nil {
		s.sendMessage(hello)
	}
	return err
}

// start starts the session. Its programs get pipes, or a terminal.
func (s *streamed) start(m *wire.Start) error {
	m.Display, m.Cookies = "", nil
	var theirs []int
	var ours [3]*os.File
	if !m.Terminal {
		for i := range ours {
			var p [2]int
			if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
				return err
			}
			their, our := p[0], p[1]
			if i > 0 {
				their, our = our, their
			}
			defer func() { _ = unix.Close(their) }()
			if err := unix.SetNonblock(our, true); err != nil {
				return err
			}
			theirs, ours[i] = append(theirs, their), os.NewFile(uintptr(our), "pipe")
		}
	}
	started, err := s.client.Start(m, theirs...)
	if err != nil {
		return err
	}
	if m.Terminal {
		s.credit.Narrow(frames.TerminalWindow)
		s.master = os.NewFile(uintptr(started.Master), "terminal")
		ours = [3]*os.File{s.master, s.master, nil}
	}
	passed := frames.NewPassed(frames.Window)
	s.input = newStreamInput(ours[0], !m.Terminal, func(n int) {
		if report := passed.Add(n); report > 0 {
			s.send(frames.Taken, frames.Number(report))
		}
	})
	s.sendMessage(&wire.Started{Terminal: m.Terminal, Notice: started.Notice, SSHAgent: started.SSHAgent >= 0})
	if started.SSHAgent >= 0 {
		listener := os.NewFile(uintptr(started.SSHAgent), "ssh agent")
		s.agents = frames.NewConnections(s.send)
		go s.agents.Serve(func() (frames.Socket, error) { return sys.Accept(listener) })
	}
	go s.carry(ours[1], ours[2])
	return nil
}

// carry carries the output until the session has ended, and reports that.
func (s *streamed) carry(out, errs *os.File) {
	var all sync.WaitGroup
	for f, k := range map[*os.File]frames.Kind{out: frames.Output, errs: frames.Errors} {
		if f != nil {
			all.Go(func() { s.copy(f, k) })
		}
	}
	exit := s.client.Exit()
	// Processes that the program left behind may go on writing; the session ends.
	for _, f := range []*os.File{out, errs} {
		if f != nil {
			_ = f.SetReadDeadline(time.Now())
		}
	}
	all.Wait()
	if exit == nil {
		s.leave()
		return
	}
	s.sendMessage(exit)
	close(s.over)
}

// copy carries an output to its end, or to its deadline and what there is by then.
func (s *streamed) copy(f *os.File, k frames.Kind) {
	buf := make([]byte, frames.MaxData)
	for {
		n, err := f.Read(buf)
		if n > 0 {
			s.sendOutput(k, buf[:n])
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.drain(f, k, buf)
			return
		default:
			return
		}
	}
}

// setSize sets the size of the terminal. File.Fd would make its descriptor block.
func (s *streamed) setSize(rows, cols uint16) error {
	raw, err := s.master.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(func(fd uintptr) { _ = tty.SetSize(int(fd), rows, cols) })
}

func (s *streamed) drain(f *os.File, k frames.Kind, buf []byte) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	for read := 0; read < sys.MaxBuffered; {
		n := 0
		if raw.Control(func(fd uintptr) { n, _ = sys.ReadAvailable(int(fd), buf) }) != nil || n == 0 {
			return
		}
		s.sendOutput(k, buf[:n])
		read += n
	}
}

// streamInput is input that waits for the program.
type streamInput struct {
	to    *os.File
	close bool // at its end
	taken func(n int)

	mu      sync.Mutex
	changed *sync.Cond
	waiting []byte
	ended   bool
}

func newStreamInput(to *os.File, closes bool, taken func(n int)) *streamInput {
	i := &streamInput{to: to, close: closes, taken: taken}
	i.changed = sync.NewCond(&i.mu)
	go i.copy()
	return i
}

// add adds what the client sent; frames.ErrFrame where that is more than it may.
func (i *streamInput) add(p []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended || len(i.waiting)+len(p) > frames.Window {
		return frames.ErrFrame
	}
	i.waiting = append(i.waiting, p...)
	i.changed.Signal()
	return nil
}

func (i *streamInput) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	i.changed.Signal()
}

// next returns what waits; nil at the end.
func (i *streamInput) next() []byte {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.waiting) == 0 && !i.ended {
		i.changed.Wait()
	}
	p := i.waiting
	i.waiting = nil
	return p
}

func (i *streamInput) copy() {
	for p := i.next(); p != nil; p = i.next() {
		for len(p) > 0 {
			n := min(len(p), frames.MaxData)
			_, _ = i.to.Write(p[:n]) // a program that does not read any more takes it as well
			i.taken(n)
			p = p[n:]
		}
	}
	if i.close {
		_ = i.to.Close()
	}
}
