package bridge

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// agent is a session of an agent's: the bridge stands before it for what neither
// of them must do itself. It sees terminals only. Nothing that the agent says is
// trusted: it belongs to whoever is in the container.
type agent struct {
	conn  agentclient.Conn
	out   io.Writer
	input *sink // the master of the program's terminal
}

func newAgent(fd int) (*agent, error) {
	c, err := agentclient.New(fd)
	return &agent{conn: c}, err
}

// hello waits for the agent, and gives its own word: of what version it is, and
// whether that will do, is between it and the front.
func (a *agent) hello() (*wire.Hello, error) {
	a.conn.Within(beginLimit)
	return a.conn.Hello()
}

func (a *agent) start(_ context.Context, m *wire.Start, out, _ io.Writer) (notice string, err error) {
	lift := a.conn.Within(beginLimit)
	master, notice, err := a.conn.Start(m)
	if err != nil {
		return "", err
	}
	lift()
	a.out, a.input = out, &sink{fd: master, broken: func() {}}
	return notice, nil
}

func (a *agent) Write(p []byte) (int, error) { return a.input.Write(p) }

// CloseWrite has nothing to do: it is the end of the front's terminal, and so of
// the session.
func (a *agent) CloseWrite() error { return nil }

func (a *agent) resize(_ context.Context, rows, cols uint16) error {
	return tty.SetSize(a.input.fd, rows, cols)
}

func (a *agent) signal(_ context.Context, sig unix.Signal) error {
	return a.conn.Signal(sig)
}

func (a *agent) wait(ctx context.Context) (*wire.Exit, error) {
	defer context.AfterFunc(ctx, a.hangUp)()
	fds := []unix.PollFd{{Fd: int32(a.conn.Fd()), Events: unix.POLLIN}, {Fd: int32(a.input.fd), Events: unix.POLLIN}}
	buf := make([]byte, 32<<10)
	for {
		if _, err := sys.Poll(fds, -1); err != nil {
			return nil, err
		}
		if fds[1].Revents != 0 {
			if n, ended := a.copy(buf); n == 0 && ended {
				fds[1].Fd = -1 // nobody has the terminal any more
			}
		}
		if fds[0].Revents != 0 {
			exit := a.conn.Exit()
			// What the program left behind may go on writing: not for us any more.
			for read := 0; read < drainLimit; {
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

// drainLimit in bytes is more than a terminal holds.
const drainLimit = 2 << 20

// copy passes on what the terminal holds, as far as buf takes it. A terminal gives
// a page at a time: several reads, one write.
func (a *agent) copy(buf []byte) (n int, ended bool) {
	for n < len(buf) {
		m, err := sys.Read(a.input.fd, buf[n:])
		if err != nil || m == 0 {
			ended = !errors.Is(err, unix.EAGAIN)
			break
		}
		n += m
	}
	if n > 0 {
		_, _ = a.out.Write(buf[:n]) // never fails
	}
	return n, ended
}

// hangUp ends the connection; the agent does the rest.
func (a *agent) hangUp() { _ = unix.Shutdown(a.conn.Fd(), unix.SHUT_RDWR) }
