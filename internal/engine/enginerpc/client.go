package enginerpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
)

// Client is an engine whose client is another process. The process is started by the first call,
// and again when it ended.
type Client struct {
	at      engine.Address
	program []string
	name    string

	mu      sync.Mutex
	control *seqpacket.Conn // nil: there is no process
	process *os.Process
	retired engine.Counts // of processes that ended
	last    engine.Counts // as the process last reported them
}

var _ engine.Engine = (*Client)(nil)

// Opener returns one whose engines are clients in a program. Name is that of the engine's command
// line.
func Opener(name string, program ...string) engine.Opener {
	return func(at engine.Address) (engine.Engine, error) {
		return &Client{at: at, program: program, name: name}, nil
	}
}

// start returns the socket of the process.
func (c *Client) start() (*seqpacket.Conn, error) {
	if c.control != nil {
		return c.control, nil
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	defer theirs.Close()
	control, err := seqpacket.New(pair[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(c.program[0], c.program[1:]...)
	cmd.Stdin, cmd.Stderr, cmd.Dir, cmd.Env = theirs, os.Stderr, "/", []string{}
	if err := cmd.Start(); err != nil {
		_ = control.Close()
		return nil, fmt.Errorf("%w: %w", engine.ErrDown, err)
	}
	c.control, c.process = control, cmd.Process
	go func() {
		_ = cmd.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.control == control {
			c.forget()
		}
	}()
	return control, nil
}

// forget closes the socket: the process ends, or has.
func (c *Client) forget() {
	_ = c.control.Close()
	c.control = nil
	c.retired.Calls += c.last.Calls
	c.retired.Failed += c.last.Failed
	c.last = engine.Counts{}
}

// sendLimit is how long the process may take to make room for a call.
const sendLimit = 2 * time.Second

// connect sends the process a connection, and returns our end.
func (c *Client) connect() (*net.UnixConn, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(pair[1]) }()
	conn, err := connOf(pair[0])
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for range 2 { // the process may have ended just now
		var control *seqpacket.Conn
		if control, err = c.start(); err != nil {
			break
		}
		_ = control.SetDeadline(time.Now().Add(sendLimit))
		if err = control.Send([]byte{0}, pair[1]); err == nil {
			return conn, nil
		}
		_ = c.process.Kill() // it may be frozen
		c.forget()
		err = fmt.Errorf("%w: %w", engine.ErrDown, err)
	}
	_ = conn.Close()
	return nil, err
}

// connOf takes a descriptor.
func connOf(fd int) (*net.UnixConn, error) {
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := conn.(*net.UnixConn)
	if !ok {
		_ = conn.Close()
		return nil, errors.New("not a unix socket")
	}
	return u, nil
}

// call makes a call. Progress, unless nil, receives lines meanwhile.
func (c *Client) call(ctx context.Context, r request, progress func(string)) (*answer, error) {
	a, conn, err := c.open(ctx, r, progress)
	if conn != nil {
		_ = conn.Close()
	}
	return a, err
}

// open makes a call and leaves its connection open.
func (c *Client) open(ctx context.Context, r request, progress func(string)) (*answer, *connection, error) {
	a := &answer{}
	if err := ctx.Err(); err != nil {
		return a, nil, err
	}
	r.At = c.at
	socket, err := c.connect()
	if err != nil {
		return a, nil, err
	}
	conn := &connection{UnixConn: socket, in: json.NewDecoder(socket)}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	err = json.NewEncoder(conn).Encode(r)
	for err == nil {
		*a = answer{}
		if err = conn.in.Decode(a); err != nil || a.Line == "" {
			break
		}
		if progress != nil {
			progress(a.Line)
		}
	}
	if a.Counts != (engine.Counts{}) {
		c.mu.Lock()
		c.last = a.Counts
		c.mu.Unlock()
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case err != nil:
		err = fmt.Errorf("%w: %s: %w", engine.ErrDown, c.program[0], err)
	case a.Error != nil:
		err = a.Error
	default:
		return a, conn, nil
	}
	_ = conn.Close()
	return a, nil, err
}

// Program returns the name of the engine's command line.
func (c *Client) Program() string { return c.name }

// Counts returns how many calls were made, as far as that is known here.
func (c *Client) Counts() engine.Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return engine.Counts{Calls: c.retired.Calls + c.last.Calls, Failed: c.retired.Failed + c.last.Failed}
}

// Close lets the process end.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.control != nil {
		c.forget()
	}
	return nil
}

// answerLimit is how long a call may take that has no context.
const answerLimit = 5 * time.Second

// withoutContext makes a call that asks no engine.
func (c *Client) withoutContext(r request) *answer {
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
	defer cancel()
	a, _ := c.call(ctx, r, nil)
	return a
}
