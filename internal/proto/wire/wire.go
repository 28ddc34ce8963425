// Package wire is the one protocol of dockersh: what front, broker and agent say
// to each other, a packet a message. PROTOCOL.md describes it. The package is
// pure: it knows bytes, not sockets.
package wire

import (
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Version of the protocol. Peers of another version refuse each other: an agent
// lives as long as its container and may be older than the front.
const Version = 1

// MaxFDs is the largest number of descriptors that a message carries.
const MaxFDs = 3

// Kind is the first byte of a packet.
type Kind uint8

// The kinds, with who says them to whom.
const (
	KindLogin     Kind = 1 + iota // front to broker: I want my session
	KindProgress                  // broker to front: a line for the waiting user
	KindReady                     // broker to front: the agent's socket and how to begin
	KindHostShell                 // broker to front: no container for you, run this shell
	KindError                     // broker or agent: refused; ends the connection
	KindWhy                       // front to broker: my session was lost, why?
	KindReason                    // broker to front: the answer
	KindHello                     // agent to broker or front, first: here I am
	KindServe                     // broker to agent: your listening socket
	KindStart                     // front to agent: begin a session
	KindStarted                   // agent to front: it runs
	KindSignal                    // front to agent: signal the session
	KindExit                      // agent to front: it has ended
	KindCount                     // broker to agent: how many sessions?
	KindSessions                  // agent to broker: that many
	KindBridge                    // broker to bridge, first: whose session in which container
	KindEnded                     // front to broker: how my session ended
)

// Message is one of the types below.
type Message interface {
	Kind() Kind
	// FDs is how many descriptors go with the message. Any other number ends
	// the connection.
	FDs() int
	fields(c *codec)
}

// Login asks for a session. Who asks is not in it: that comes from the kernel.
type Login struct {
	Version  uint16
	Terminal bool   // stdin and stdout are terminals
	Command  bool   // a command was given
	UserFile []byte // the bytes of ~/.dockersh, read with the user's own rights
	UserErr  string // why they could not be read, empty if there is no such file
	AuthInfo []byte // what sshd told of how the user authenticated; may be empty
	Words    []byte // of the command, at most MaxWords; for the log
	Cut      bool   // there are more of them
}

// Progress is a line for a user who waits: no control characters.
type Progress struct{ Text string }

// Ready gives the agent's socket (the one descriptor) and what the front needs
// for Start.
type Ready struct {
	Shell  string   // path of the shell inside
	Cwd    string   // working directory; empty: home
	Accept []string // patterns of environment names that go inside
	Notice []string // lines to show before the session
}

// HostShell tells the front to become this shell on the host.
type HostShell struct{ Shell string }

// Error is a refusal. Code is a usererr.Code.
type Error struct {
	Code       uint8
	Text, Hint string
}

// NewError returns the message of e, each text of it in one line, without its
// cause.
func NewError(e *usererr.Error) *Error {
	return &Error{Code: uint8(e.Code), Text: printable.Line(e.Text), Hint: printable.Line(e.Hint)}
}

// UserError returns the error that the peer sent. Its texts are safe to show,
// whoever the peer is.
func (m *Error) UserError() *usererr.Error {
	return usererr.New(usererr.Code(m.Code), printable.Text(m.Text), printable.Text(m.Hint), nil)
}

// Why asks what became of the container of this session.
type Why struct{}

// Reason answers Why in one line.
type Reason struct{ Text string }

// Hello is an agent's first word on every connection.
type Hello struct{ Version uint16 }

// Serve gives an agent its listening socket (the one descriptor), and its
// sessions their identity inside.
type Serve struct{ User, Home string }

// Start begins a session. With Terminal the agent makes a pty, and no descriptor
// comes along; without, they are stdin, stdout and stderr.
type Start struct {
	Terminal   bool
	Rows, Cols uint16
	Termios    []byte // the kernel's struct termios of the client's terminal, or empty
	Path       string
	Argv       []string
	Env        []string // NAME=VALUE; over the container's own environment
	Cwd        string   // empty: home
}

// Check returns the error of a Start that must not be carried out: it names no
// program, or passable (sys.Passable) is false for one of its descriptors. Agent
// and bridge both ask, since neither trusts the front.
func (m *Start) Check(fds []int, passable func(fd int) bool) *usererr.Error {
	if len(m.Argv) == 0 {
		return usererr.New(usererr.Protocol, "no program to run", "", nil)
	}
	for _, fd := range fds {
		if !passable(fd) {
			return usererr.New(usererr.Protocol, "a descriptor of the host may not enter a container", "", nil)
		}
	}
	return nil
}

// Started says that the session runs. With a terminal it carries the pty's
// master.
type Started struct {
	Terminal bool
	Notice   string // e.g. that the working directory does not exist; may be empty
}

// Signal is sent to the session's foreground processes.
type Signal struct{ Number uint8 }

// Exit is the end of the session.
type Exit struct {
	Status      uint32 // as wait4(2) gives it
	OutOfMemory bool   // the kernel killed something in the container for memory meanwhile
}

// Count asks an agent for the number of its live sessions.
type Count struct{}

// Sessions answers Count.
type Sessions struct {
	Live   uint32
	Others uint32 // processes in the container that are neither agents nor process 1
}

// Bridge tells a new bridge what its one session is: as whom, in which container
// of which engine. After it the connection is a front's. With Agent it brings the
// socket of an agent, which then takes the place of the engine, and with Record,
// behind that, the new file that the session's terminal is recorded in.
type Bridge struct {
	Engine, TLS string // as in engine.Address
	Container   string // id
	UID, GID    uint32
	User, Home  string // the identity that the session gets
	Agent       bool
	Record      bool
	Title       string // of the recording
}

// Ended tells how the session ended, for the log. Nothing answers it.
type Ended struct{ Status uint32 } // as wait4(2) gives it

func blank(k Kind) Message {
	switch k {
	case KindLogin:
		return &Login{}
	case KindProgress:
		return &Progress{}
	case KindReady:
		return &Ready{}
	case KindHostShell:
		return &HostShell{}
	case KindError:
		return &Error{}
	case KindWhy:
		return &Why{}
	case KindReason:
		return &Reason{}
	case KindHello:
		return &Hello{}
	case KindServe:
		return &Serve{}
	case KindStart:
		return &Start{}
	case KindStarted:
		return &Started{}
	case KindSignal:
		return &Signal{}
	case KindExit:
		return &Exit{}
	case KindCount:
		return &Count{}
	case KindSessions:
		return &Sessions{}
	case KindBridge:
		return &Bridge{}
	case KindEnded:
		return &Ended{}
	}
	return nil
}
