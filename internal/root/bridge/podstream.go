package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/presence"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/frames"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// podStream is a session in a pod, which an agent carries that the engine's exec started for it:
// dockersh-init stream, see package frames. Nothing that it sends is trusted, as of any agent. The end
// of the connection hangs up the session.
type podStream struct {
	engine engine.Engine
	task   *wire.Bridge

	stream    engine.Stream // nil: nothing was started
	reader    frames.Reader
	outputs   podOutputs
	replies   chan wire.Message
	ended     chan struct{} // closed at the end of the stream
	complaint complaint
	credit    *frames.Credit // of input
	agents    *frames.Connections
	agent     int // where those lead: the front's, a descriptor of a name; -1 for none

	sending sync.Mutex
	over    func() // of holdPresence

	mu    sync.Mutex
	cause error // of the end
}

// agentInside is the agent, as it is in every pod.
var agentInside = []string{"/.dockersh/dockersh-init", "stream"}

func newPodStream(open engine.Opener, task *wire.Bridge) (p *podStream, over func(), err error) {
	e, err := open(engine.Address{Host: task.Engine, TLS: task.TLS})
	if err != nil {
		return nil, func() {}, err
	}
	p = &podStream{
		engine: e, task: task, credit: frames.NewCredit(), agent: -1,
		replies: make(chan wire.Message, 4), ended: make(chan struct{}), over: func() {},
	}
	p.agents = frames.NewConnections(func(k frames.Kind, data []byte) { _ = p.send(k, data) })
	if shared, ok := e.(engine.Shared); ok && task.Session != "" {
		p.over = holdPresence(shared, engine.Presence{Container: task.Name, Host: task.Host, Session: task.Session})
	}
	return p, p.over, nil
}

// holdPresence goes on with what the broker announced, until nobody is in the pod by the session.
func holdPresence(e engine.Shared, p engine.Presence) (end func()) {
	release := presence.Hold(e, p)
	return sync.OnceFunc(func() { release(); presence.Withdraw(e, p) })
}

// hello asks nobody: the agent is started with the session.
func (p *podStream) hello() (*wire.Hello, error) { return &wire.Hello{Version: wire.AgentVersion}, nil }

func (p *podStream) start(ctx context.Context, m *wire.Start, out, errs io.Writer) (s agentclient.Started, err error) {
	s.Master, s.SSHAgent = -1, -1
	one := *m
	one.Display, one.Cookies = "", nil // no display goes that way
	listener := -1
	if m.SSHAgent {
		if listener, p.agent, err = sys.Unreachable("/run"); err != nil {
			one.SSHAgent = false
		}
	}
	defer func() {
		if s.SSHAgent < 0 && listener >= 0 {
			_ = unix.Close(listener)
		}
	}()
	program := engine.Program{UID: p.task.UID, GID: p.task.GID, Argv: agentInside, Waits: true}
	if p.stream, err = p.engine.ExecStream(ctx, p.task.Container, program); err != nil {
		return s, err
	}
	window := frames.Window
	if m.Terminal {
		window = frames.TerminalWindow
	}
	passed := frames.NewPassed(window)
	p.outputs.begin(out, errs, func(n int) {
		if report := passed.Add(n); report > 0 {
			_ = p.send(frames.Taken, frames.Number(report))
		}
	})
	go p.receive()
	err = errors.Join(p.sendMessage(&wire.Serve{User: p.task.User, Home: p.task.Home}), p.sendMessage(&one))
	if err != nil && !errors.Is(err, io.ErrClosedPipe) { // a stream that has ended is known by its cause, below
		return s, err
	}
	for {
		select {
		case m := <-p.replies:
			switch m := m.(type) {
			case *wire.Hello:
				continue
			case *wire.Error:
				return s, m.UserError()
			case *wire.Started:
				s.Notice = printable.Text(m.Notice)
				if m.SSHAgent && one.SSHAgent {
					s.SSHAgent = listener
				}
				go p.keepAlive()
				return s, nil
			}
			return s, p.noSession(errors.New("the agent sent another message"))
		case <-p.ended:
			return s, p.noSession(p.end(nil))
		case <-ctx.Done():
			return s, fmt.Errorf("%w: %w", engine.ErrDown, ctx.Err())
		}
	}
}

func (p *podStream) noSession(cause error) error {
	return usererr.New(usererr.Container, "the container cannot start a session", usererr.ReadLog,
		fmt.Errorf("%w: %s", cause, p.complaint.String()))
}

// receive takes the agent's frames until the stream ends.
func (p *podStream) receive() {
	err := p.stream.Copy(framesOf{p}, &p.complaint)
	if err == nil {
		err = errors.New("the agent ended")
	}
	p.end(err)
	p.stream.Close() // somebody may be sending
	p.credit.End()
	p.agents.End()
	p.outputs.end()
	close(p.ended)
	p.over()
}

// end sets the cause of the end, unless there is one, and returns it.
func (p *podStream) end(cause error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cause == nil {
		p.cause = cause
	}
	return p.cause
}

// framesOf takes what the agent sends. Write never fails: a stream that is damaged is closed.
type framesOf struct{ p *podStream }

func (f framesOf) Write(b []byte) (int, error) {
	if f.p.end(nil) == nil {
		if err := f.p.reader.Feed(b, f.p.take); err != nil {
			f.p.end(err)
			f.p.stream.Close()
		}
	}
	return len(b), nil
}

// take takes one frame of the agent. It does not wait until the output is read: the connection
// ends where the answers to its own pings are not read.
func (p *podStream) take(k frames.Kind, data []byte) error {
	switch k {
	case frames.Output, frames.Errors:
		return p.outputs.add(k, data)
	case frames.Taken:
		return p.credit.Taken(data)
	case frames.Opened:
		return p.agents.Open(data, func() (frames.Socket, error) { return sys.Connect(p.agent) })
	case frames.Bytes, frames.Shut, frames.Got:
		return p.agents.Take(k, data)
	case frames.Message:
		m, err := wire.Decode(data)
		if err != nil {
			return err
		}
		if _, ok := m.(*wire.Exit); ok {
			p.outputs.end()
		}
		select {
		case p.replies <- m:
			return nil
		default:
		}
	}
	return frames.ErrFrame
}

// send sends a frame.
func (p *podStream) send(k frames.Kind, data []byte) error {
	p.sending.Lock()
	defer p.sending.Unlock()
	_, err := p.stream.Write(frames.Append(nil, k, data))
	return err
}

func (p *podStream) sendMessage(m wire.Message) error {
	b, err := wire.Encode(m)
	if errors.Is(err, wire.ErrTooLarge) {
		return usererr.New(usererr.Container, "the command line and the environment are too long", "", err)
	}
	if err != nil {
		return err
	}
	return p.send(frames.Message, b)
}

// keepAlive shows the agent that this host is there.
func (p *podStream) keepAlive() {
	for each := time.NewTicker(frames.AliveEach); ; {
		select {
		case <-each.C:
			_ = p.send(frames.Alive, nil)
		case <-p.ended:
			each.Stop()
			return
		}
	}
}

// Write sends as much as the program has room for, and waits for more.
func (p *podStream) Write(b []byte) (int, error) {
	sent := 0
	for sent < len(b) {
		n := p.credit.Use(len(b) - sent)
		if n == 0 {
			return sent, io.ErrClosedPipe
		}
		if err := p.send(frames.Input, b[sent:sent+n]); err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

func (p *podStream) CloseWrite() error { return p.send(frames.End, nil) }

func (p *podStream) resize(_ context.Context, rows, cols uint16) error {
	return p.send(frames.Size, frames.Number(uint32(rows)<<16|uint32(cols)))
}

func (p *podStream) signal(_ context.Context, sig unix.Signal) error {
	return p.sendMessage(&wire.Signal{Number: uint8(sig)})
}

func (p *podStream) wait(ctx context.Context) (*wire.Exit, error) {
	var m wire.Message
	select {
	case m = <-p.replies:
	case <-p.ended:
		select {
		case m = <-p.replies:
		default:
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	exit, ok := m.(*wire.Exit)
	if m != nil && !ok {
		return nil, frames.ErrFrame
	}
	select {
	case <-p.outputs.written:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if exit == nil {
		return nil, p.end(nil)
	}
	p.hangUp() // the agent waits for that
	return exit, nil
}

// hangUp ends the connection, and the agent hangs up the session.
func (p *podStream) hangUp() {
	if p.stream != nil {
		_ = p.stream.CloseWrite()
		p.stream.Close()
	}
}

// complaint keeps the first bytes of what the agent, or the runtime in its place, writes as errors.
type complaint struct {
	mu   sync.Mutex
	text []byte
}

func (c *complaint) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, b[:min(len(b), maxLine-len(c.text))]...)
	return len(b), nil
}

func (c *complaint) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return printable.Text(string(c.text))
}
