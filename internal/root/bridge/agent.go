package bridge

import (
	"context"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// agentSession is a session that an agent carries, to be recorded. It always has a
// terminal. Nothing that the agent sends is trusted, because it belongs to whoever is
// in the container.
type agentSession struct {
	conn  agentclient.Conn
	out   io.Writer
	input *sink // the master of the program's terminal
}

const (
	// A read so soon after the one before means that more is on its way. It gathers for a
	// moment before it is read: read at once, it comes line by line, and each line wakes the
	// bridge and the front.
	flood  = time.Millisecond
	gather = 200 * time.Microsecond
)

func newAgentSession(fd int) (*agentSession, error) {
	c, err := agentclient.New(fd)
	return &agentSession{conn: c}, err
}

// hello returns the agent's own message: agent and front settle their version.
func (a *agentSession) hello() (*wire.Hello, error) {
	a.conn.Within(startLimit)
	return a.conn.Hello()
}

func (a *agentSession) start(_ context.Context, m *wire.Start, out, _ io.Writer) (agentclient.Started, error) {
	lift := a.conn.Within(startLimit)
	s, err := a.conn.Start(m)
	if err != nil {
		return s, err
	}
	lift()
	a.out, a.input = out, &sink{fd: s.Master, broken: func() {}}
	return s, nil
}

func (a *agentSession) Write(p []byte) (int, error) { return a.input.Write(p) }

// CloseWrite has nothing to do: when the front's terminal ends, so does the session.
func (a *agentSession) CloseWrite() error { return nil }

func (a *agentSession) resize(_ context.Context, rows, cols uint16) error {
	return tty.SetSize(a.input.fd, rows, cols)
}

func (a *agentSession) signal(_ context.Context, sig unix.Signal) error {
	return a.conn.Signal(sig)
}

func (a *agentSession) wait(ctx context.Context) (*wire.Exit, error) {
	defer context.AfterFunc(ctx, a.hangUp)()
	fds := []unix.PollFd{{Fd: int32(a.conn.Fd()), Events: unix.POLLIN}, {Fd: int32(a.input.fd), Events: unix.POLLIN}}
	buf := make([]byte, 32<<10)
	var slice sys.TimeSlice
	var last time.Time
	for {
		slice.Renew()
		if _, err := sys.Poll(fds, -1); err != nil {
			return nil, err
		}
		if fds[1].Revents != 0 {
			if _, ended := a.copy(buf); ended {
				fds[1].Fd = -1 // no process has the terminal open any more
			}
			now := time.Now()
			if now.Sub(last) < flood {
				_, _ = sys.PollFor(fds[:1], gather)
			}
			last = now
		}
		if fds[0].Revents != 0 {
			exit := a.conn.Exit()
			// Processes that the program left behind may go on writing; the session ends.
			for read := 0; read < sys.MaxBuffered; {
				n, _ := a.copy(buf)
				if n == 0 {
					break
				}
				read += n
			}
			return exit, nil
		}
	}
}

// copy passes on what the terminal holds, up to the length of buf.
func (a *agentSession) copy(buf []byte) (n int, ended bool) {
	if n, ended = sys.ReadAvailable(a.input.fd, buf); n > 0 {
		_, _ = a.out.Write(buf[:n]) // see sink and recorder: it never fails
	}
	return n, ended
}

// hangUp ends the connection; the agent hangs up the program.
func (a *agentSession) hangUp() { _ = unix.Shutdown(a.conn.Fd(), unix.SHUT_RDWR) }
