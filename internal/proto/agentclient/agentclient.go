// Package agentclient is the client's side of the agent protocol: one connection
// to an agent, for one session or one question. Nothing that an agent sends is
// trusted, because it belongs to whoever is in the container: its texts are
// cleaned, and what is not the expected answer is an error.
package agentclient

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// ErrSilent is an agent that ended, or did not answer in time. What happened to it,
// the broker knows.
var ErrSilent = errors.New("the agent does not answer")

// errAnswer is an agent that broke the protocol.
var errAnswer = usererr.New(usererr.Container, "the container does not answer as it should", usererr.RestartNamed, nil)

// Conn is a connection to an agent. Its methods wait for as long as Conn.Within
// allows.
type Conn struct{ channel.Conn }

// New takes over a connected socket, for a program that does one thing at a time.
func New(fd int) (Conn, error) {
	c, err := channel.NewSync(fd)
	return Conn{c}, err
}

// Dial connects to the agent that listens at path, for a program of many
// connections that asks it and starts no session. The errors are those of seqpacket.Connect.
func Dial(path string) (Conn, error) {
	c, err := seqpacket.Dial(path)
	if err != nil {
		return Conn{}, err
	}
	c.RefuseDescriptors()
	return Conn{channel.Conn{Socket: c}}, nil
}

// Hello receives the agent's first message. Nothing should be sent before it: what
// lies in the queue of a frozen agent (descriptors, above all) stays there.
func (c Conn) Hello() (*wire.Hello, error) {
	m, fds, err := c.Recv()
	seqpacket.CloseAll(fds)
	if err != nil {
		return nil, explain(err)
	}
	hello, ok := m.(*wire.Hello)
	if !ok {
		return nil, errAnswer
	}
	return hello, nil
}

// Started is a session that runs.
type Started struct {
	Master   int    // the client's end of its terminal, non-blocking; -1 without one
	SSHAgent int    // a listening socket in the container, for the ssh agent; -1 for none
	X11      bool   // it has the display that sshd forwards
	Notice   string // a line for the user, or empty
}

// none is what an error comes with.
var none = Started{Master: -1, SSHAgent: -1}

// Start starts a session. stdio is standard input, output and error of a session
// without a terminal. A refusal by the agent is a *usererr.Error.
func (c Conn) Start(m *wire.Start, stdio ...int) (Started, error) {
	err := c.Send(m, stdio...)
	if errors.Is(err, wire.ErrTooLarge) {
		return none, usererr.New(usererr.Container, "the command line and the environment are too long", "", err)
	}
	if err != nil {
		return none, explain(err)
	}
	reply, fds, err := c.Recv()
	if err != nil {
		return none, explain(err)
	}
	switch reply := reply.(type) {
	case *wire.Error:
		return none, reply.UserError()
	case *wire.Started:
		if s, ok := started(m, reply, fds); ok {
			return s, nil
		}
	}
	seqpacket.CloseAll(fds)
	return none, errAnswer
}

// started checks the answer to Start.
func started(m *wire.Start, reply *wire.Started, fds []int) (Started, bool) {
	s := none
	if reply.Terminal != m.Terminal || reply.Piped || reply.SSHAgent && !m.SSHAgent {
		return s, false
	}
	if m.Terminal {
		if !sys.IsPtyMaster(fds[0]) || unix.SetNonblock(fds[0], true) != nil {
			return s, false
		}
		s.Master, fds = fds[0], fds[1:]
	}
	// Anything else in its place stays open, because to close it may take as long as its
	// sender likes (SO_LINGER): the session does without.
	if reply.SSHAgent && sys.IsUnixListener(fds[0]) {
		s.SSHAgent = fds[0]
	}
	s.Notice, s.X11 = printable.Text(reply.Notice), reply.X11
	return s, true
}

// Signal sends a signal to the session's process group.
func (c Conn) Signal(sig unix.Signal) error { return c.Send(&wire.Signal{Number: uint8(sig)}) }

// Exit receives the last message of a session; nil if the agent ended without one.
func (c Conn) Exit() *wire.Exit {
	m, fds, err := c.Recv()
	if errors.Is(err, unix.ECONNRESET) {
		// The agent did not read our last signal: the kernel reports that before it
		// delivers what was sent earlier.
		m, fds, _ = c.Recv()
	}
	seqpacket.CloseAll(fds)
	exit, _ := m.(*wire.Exit)
	return exit
}

// countLimit is how long an agent may take to count.
const countLimit = 200 * time.Millisecond

// CountProcesses asks how many processes in the container somebody started: all
// but process 1 and the agents.
func (c Conn) CountProcesses() (n uint32, err error) {
	c.Within(countLimit)
	if _, err := c.Hello(); err != nil {
		return 0, err
	}
	if err := c.Send(&wire.Count{}); err != nil {
		return 0, explain(err)
	}
	m, fds, err := c.Recv()
	seqpacket.CloseAll(fds)
	if err != nil {
		return 0, explain(err)
	}
	answer, ok := m.(*wire.Processes)
	if !ok {
		return 0, errAnswer
	}
	return answer.Others, nil
}

// explain distinguishes an agent that is gone or frozen from one that misbehaves.
func explain(err error) error {
	if channel.IsGone(err) || channel.TimedOut(err) {
		return errors.Join(ErrSilent, err)
	}
	return errAnswer
}
