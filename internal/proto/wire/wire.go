// Package wire has the messages that front, broker, agent and bridge exchange, and
// their encoding, one packet a message. PROTOCOL.md describes the protocol. The package
// deals with bytes alone, not with sockets.
package wire

import (
	"strings"

	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/proto/environ"
	"github.com/dockersh/dockersh/internal/proto/printable"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// Version is the version of the messages between front, PAM module and broker. Peers of
// different versions refuse each other.
const Version = 2

// AgentVersion is the version of what agents understand. An agent runs as long as its
// container and may be older than the front: version 1 knows neither Start.Inherited nor
// what follows it.
const AgentVersion = 2

// Speaks reports whether an agent of a version can be spoken to.
func Speaks(version uint16) bool { return version >= 1 && version <= AgentVersion }

// MaxFDs is the largest number of descriptors that a message carries.
const MaxFDs = 3

// Kind is the first byte of a packet.
type Kind uint8

// The kinds, with sender, receiver and purpose.
const (
	KindLogin        Kind = 1 + iota // front to broker: request a session
	KindProgress                     // broker to front: a line for the waiting user
	KindReady                        // broker to front: the agent's socket, and what Start needs
	KindHostShell                    // broker to front: run this shell on the host
	KindError                        // broker or agent to front: a refusal; ends the connection
	KindWhy                          // front to broker: ask why the session was lost
	KindReason                       // broker to front: answer Why
	KindHello                        // agent to broker or front: first message
	KindServe                        // broker to agent: the socket to listen on
	KindStart                        // front to agent: start a session
	KindStarted                      // agent to front: the session runs
	KindSignal                       // front to agent: signal the session
	KindExit                         // agent to front: the session has ended
	KindCount                        // broker to agent: ask how many processes there are
	KindProcesses                    // agent to broker: answer Count
	KindBridge                       // broker to bridge, first: whose session in which container
	KindEnded                        // front to broker: how the session ended
	KindJoin                         // sshd's PAM module to broker: whose connection begins, as root
	KindJoined                       // broker to PAM module: the network for the connection
	KindReadFile                     // broker to front: read ~/.dockersh in another home
	KindUserFile                     // front to broker: answer ReadFile
	KindReadCounters                 // dockershctl to broker: ask what it has counted, as root
	KindCounters                     // broker to dockershctl: answer ReadCounters
)

// Message is one of the types below.
type Message interface {
	Kind() Kind
	// FDs returns how many descriptors belong to the message. A receiver ends the
	// connection at any other number.
	FDs() int
	fields(c *codec)
}

// Login requests a session. For which user is not in it: the kernel knows.
type Login struct {
	Version    uint16
	Terminal   bool   // stdin and stdout are terminals
	HasCommand bool   // a command was given
	UserFile   []byte // the bytes of ~/.dockersh, read with the user's own rights
	UserErr    string // why they could not be read; empty if there is no such file
	AuthInfo   []byte // how the user authenticated, as sshd wrote it; may be empty
	Words      []byte // of that command, at most MaxWords; for the log
	Cut        bool   // the command is longer than Words
	X11        bool   // sshd forwards a display
}

// Progress is a line for the waiting user, without control characters.
type Progress struct{ Text string }

// Ready has one descriptor, a connected socket to the agent, and what the front needs
// for Start.
type Ready struct {
	Shell    string   // path of the shell in the container
	Fallback string   // where that shell is missing; empty if the user did not choose it
	Cwd      string   // working directory; empty for the home
	Accept   []string // patterns of names of environment variables that go into the container
	Notice   []string // lines to show before the session

	Container string // its name, for messages
	SSHAgent  bool   // the user's ssh agent may be reached from the container
	X11       bool   // so may the display that sshd forwards, whose listener is in the container's network
}

// ReadFile asks the front, during a login, for the .dockersh in a directory that is the home
// inside.
type ReadFile struct{ Dir string }

// UserFile answers ReadFile, with the fields of the same names of Login.
type UserFile struct {
	UserFile []byte
	UserErr  string
}

// HostShell asks the front to become this shell on the host.
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

// Hello is an agent's first message on every connection.
type Hello struct{ Version uint16 }

// Serve has one descriptor, the socket for the agent to listen on, and the identity that
// its sessions have in the container.
type Serve struct{ User, Home string }

// Start starts a session. With Terminal it has no descriptors, because the agent makes a
// pty; without, they are stdin, stdout and stderr.
type Start struct {
	Terminal   bool
	Rows, Cols uint16
	Termios    []byte // the kernel's struct termios of the client's terminal, or empty
	Path       string
	Argv       []string
	Env        []string // NAME=VALUE; over the container's own environment
	Cwd        string   // empty for the home
	Inherited  *Inherited

	// Not without Inherited:
	SSHAgent bool   // the session gets a socket that stands for the user's ssh agent
	Display  string // the display that sshd forwards; empty for none
	Cookies  []byte // an Xauthority file for it
	Fallback string // program instead of a Path that cannot be run; empty for an error
}

// KeepKnownTo clears what an agent of this version, which Speaks, takes for a damaged message.
func (m *Start) KeepKnownTo(version uint16) {
	if version == 1 {
		m.Inherited, m.Fallback, m.SSHAgent, m.Display, m.Cookies = nil, "", false, "", nil
	}
}

// UseFallback makes Fallback the program, and returns a line for the user. ok is false if there
// is none.
func (m *Start) UseFallback() (notice string, ok bool) {
	if m.Fallback == "" {
		return "", false
	}
	notice = m.Path + " cannot be run in the container, so the shell of ~/.dockersh is ignored"
	zero := m.Fallback[strings.LastIndexByte(m.Fallback, '/')+1:]
	if strings.HasPrefix(m.Argv[0], "-") {
		zero = "-" + zero
	}
	m.Argv = append([]string{zero}, m.Argv[1:]...)
	m.Env = environ.Overlay(m.Env, "SHELL="+m.Fallback)
	m.Path, m.Fallback = m.Fallback, ""
	return notice, true
}

// Inherited is what processes inherit from the login besides the environment. It is nil for
// an agent that does not know it.
type Inherited struct {
	Umask  uint16
	Nice   int8
	Limits [limits.Number]limits.Limit
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

// NoProgram returns the error of a session whose program does not exist.
func NoProgram(path string, cause error) *usererr.Error {
	return usererr.New(usererr.Container, "there is no "+path+" in the container",
		`ask the administrator to run: dockershctl explain USER (and to set "shell" to a shell of the image)`, cause)
}

// Started means that the session runs. With a terminal its first descriptor is the pty's
// master, and with Piped the next one is a pipe from which its output comes instead. With
// SSHAgent the last one is a listening socket in the container, to which the session's programs
// connect as to an ssh agent.
type Started struct {
	Terminal bool
	Notice   string // for the user, such as that the working directory does not exist; may be empty
	SSHAgent bool   // only if Start asked for it
	X11      bool   // the session has the display and its cookies
	Piped    bool   // only from a bridge, and only with Terminal
}

// Signal is for the session's process group.
type Signal struct{ Number uint8 }

// Exit is the end of the session.
type Exit struct {
	Status      uint32 // in the format of wait4(2)
	OutOfMemory bool   // meanwhile the kernel killed a process in the container to free memory
}

// Count asks an agent what runs in its container.
type Count struct{}

// Processes answers Count: how many there are in the container other than process 1 and
// agents.
type Processes struct{ Others uint32 }

// Bridge describes its one session to a new bridge: as which user, in which container of
// which engine. Everything after it on the connection comes from a front. With Agent the
// first descriptor is a connected socket to an agent, which then takes the place of the
// engine. With Record the next one is the new file for the recording of the terminal.
type Bridge struct {
	Engine, TLS string // as in engine.Address
	Container   string // id of the container
	UID, GID    uint32
	User, Home  string // of the container user
	Agent       bool
	Record      bool
	Title       string // of the recording

	// Name, Host and Session announce the session to the login hosts that share the container
	// (engine.Presence); empty: no others do.
	Name, Host, Session string
}

// Ended reports how the session ended, for the log. There is no answer.
type Ended struct{ Status uint32 } // in the format of wait4(2)

// Join asks for the network namespace that sshd is to enter for a connection. It comes from
// the PAM module, as root: the user, and how they authenticated, come from sshd.
type Join struct {
	Version  uint16
	User     string
	AuthInfo []byte // SSH_AUTH_INFO_0 of sshd; may be empty
}

// What a connection joins (Joined.Outcome).
const (
	JoinNothing   uint8 = iota // an empty namespace of its own
	JoinNamespace              // the one that comes with the message
	JoinHost                   // the settings leave the connection on the host
	numOutcomes
)

// Joined answers Join. With JoinNamespace it has one descriptor, a network namespace. Reason
// is why there is none, for the log.
type Joined struct {
	Outcome uint8
	Reason  string
}

// ReadCounters asks the service what it has counted since it began. It comes from root.
type ReadCounters struct{ Version uint16 }

// Counters answers ReadCounters. Nothing in it is text, and nothing names a user.
type Counters struct {
	Since       uint64   // when the service began, in seconds since 1970
	Started     uint64   // sessions
	HostShells  uint64   // logins that were given the host
	Abandoned   uint64   // logins whose front ended before it had its answer
	Refused     []uint64 // refused logins by usererr.Code
	Warm        []uint64 // warm logins by their time: those up to each of LoginTimes, and then the longer ones
	WarmTime    uint64   // of all of them, in nanoseconds
	Cold        []uint64 // likewise, of cold logins
	ColdTime    uint64
	EngineCalls uint64 // of the service alone
	EngineFails uint64 // calls that failed
	Slots       uint32 // containers that may be made or started at a time
	SlotsInUse  uint32
	Queue       uint32 // containers that wait for a slot
}

// LoginTimes are the upper bounds, in nanoseconds, by which Counters sorts the times of logins.
var LoginTimes = [...]uint64{
	250e3, 500e3,
	1e6, 2500e3, 5e6,
	10e6, 25e6, 50e6,
	100e6, 250e6, 500e6,
	1e9, 2500e6, 5e9,
	10e9, 30e9, 60e9,
}

// blank returns an empty message of kind k, or nil if there is none.
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
	case KindProcesses:
		return &Processes{}
	case KindBridge:
		return &Bridge{}
	case KindEnded:
		return &Ended{}
	case KindJoin:
		return &Join{}
	case KindJoined:
		return &Joined{}
	case KindReadFile:
		return &ReadFile{}
	case KindUserFile:
		return &UserFile{}
	case KindReadCounters:
		return &ReadCounters{}
	case KindCounters:
		return &Counters{}
	}
	return nil
}
