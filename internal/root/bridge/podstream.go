package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
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
	log    *slog.Logger

	stream    engine.Stream // nil: nothing was started
	out, errs io.Writer
	reader    frames.Reader
	replies   chan wire.Message
	ended     chan struct{} // closed at the end of the stream
	broken    error         // of what the agent sent; once it has ended
	complaint complaint

	mu   sync.Mutex // of what is sent
	room *sync.Cond // changes of credit, and the end
	// credit is how much input may be sent; negative after the end.
	credit int
}

// agentInside is the agent, as it is in every pod.
var agentInside = []string{"/.dockersh/dockersh-init", "stream"}

func newPodStream(open engine.Opener, task *wire.Bridge, log *slog.Logger) (*podStream, error) {
	e, err := open(engine.Address{Host: task.Engine, TLS: task.TLS})
	if err != nil {
		return nil, err
	}
	p := &podStream{
		engine: e, task: task, log: log, credit: frames.Window,
		replies: make(chan wire.Message, 4), ended: make(chan struct{}),
	}
	p.room = sync.NewCond(&p.mu)
	return p, nil
}

// hello asks nobody: the agent is started with the session.
func (p *podStream) hello() (*wire.Hello, error) { return &wire.Hello{Version: wire.AgentVersion}, nil }

func (p *podStream) start(ctx context.Context, m *wire.Start, out, errs io.Writer) (s agentclient.Started, err error) {
	s.Master, s.SSHAgent = -1, -1
	one := *m
	one.SSHAgent, one.Display, one.Cookies = false, "", nil // no socket goes that way
	p.out, p.errs = out, errs
	program := engine.Program{UID: p.task.UID, GID: p.task.GID, Argv: agentInside}
	if p.stream, err = p.engine.ExecStream(ctx, p.task.Container, program); err != nil {
		return s, err
	}
	go p.receive()
	if err := errors.Join(p.sendMessage(&wire.Serve{User: p.task.User, Home: p.task.Home}), p.sendMessage(&one)); err != nil {
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
				go p.keepAlive()
				return s, nil
			}
			return s, p.noSession(errors.New("the agent sent another message"))
		case <-p.ended:
			return s, p.noSession(p.broken)
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
	if p.broken == nil {
		p.broken = err
	}
	if p.broken == nil {
		p.broken = errors.New("the agent ended")
	}
	p.stream.Close() // somebody may be sending
	p.mu.Lock()
	p.credit = -1
	p.room.Broadcast()
	p.mu.Unlock()
	close(p.ended)
}

// framesOf takes what the agent sends. Write never fails: a stream that is damaged is closed.
type framesOf struct{ p *podStream }

func (f framesOf) Write(b []byte) (int, error) {
	if f.p.broken == nil {
		if f.p.broken = f.p.reader.Feed(b, f.p.take); f.p.broken != nil {
			f.p.stream.Close()
		}
	}
	return len(b), nil
}

// take takes one frame of the agent.
func (p *podStream) take(k frames.Kind, data []byte) error {
	switch k {
	case frames.Output:
		_, _ = p.out.Write(data)
		return nil
	case frames.Errors:
		_, _ = p.errs.Write(data)
		return nil
	case frames.Taken:
		n, err := frames.ParseNumber(data)
		p.mu.Lock()
		defer p.mu.Unlock()
		if err != nil || n > frames.Window || p.credit < 0 || p.credit+int(n) > frames.Window {
			return frames.ErrFrame
		}
		p.credit += int(n)
		p.room.Broadcast()
		return nil
	case frames.Message:
		m, err := wire.Decode(data)
		if err != nil {
			return err
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
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sendLocked(k, data)
}

func (p *podStream) sendLocked(k frames.Kind, data []byte) error {
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

func (p *podStream) Write(b []byte) (int, error) {
	sent := 0
	for len(b) > 0 {
		n, err := p.sendInput(b)
		if err != nil {
			return sent, err
		}
		b, sent = b[n:], sent+n
	}
	return sent, nil
}

// sendInput sends as much as the program has room for, and waits for some.
func (p *podStream) sendInput(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.credit == 0 {
		p.room.Wait()
	}
	if p.credit < 0 {
		return 0, io.ErrClosedPipe
	}
	n := min(len(b), p.credit, frames.MaxData)
	p.credit -= n
	return n, p.sendLocked(frames.Input, b[:n])
}

func (p *podStream) CloseWrite() error { return p.send(frames.End, nil) }

func (p *podStream) resize(_ context.Context, rows, cols uint16) error {
	return p.send(frames.Size, frames.Number(uint32(rows)<<16|uint32(cols)))
}

func (p *podStream) signal(_ context.Context, sig unix.Signal) error {
	return p.sendMessage(&wire.Signal{Number: uint8(sig)})
}

func (p *podStream) wait(ctx context.Context) (*wire.Exit, error) {
	select {
	case m := <-p.replies:
		return p.exit(m)
	case <-p.ended:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case m := <-p.replies:
		return p.exit(m)
	default:
		return nil, p.broken
	}
}

func (p *podStream) exit(m wire.Message) (*wire.Exit, error) {
	if exit, ok := m.(*wire.Exit); ok {
		return exit, nil
	}
	return nil, frames.ErrFrame
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
