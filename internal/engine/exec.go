package engine

import (
	"context"
	"io"
)

// Execs are programs that the engine starts in a running container.
type Execs interface {
	// Exec starts argv, detached. It does not report how the program ends. ErrNotFound.
	Exec(ctx context.Context, id string, as As, argv []string) error
	// ExecStream starts a program and connects to it. An error of the container's
	// runtime, such as a program that does not exist, may also come as output of the
	// program. ErrNotFound.
	ExecStream(ctx context.Context, id string, p Program) (Stream, error)
}

// As is whom a program is started as: with exactly this uid and gid and the groups that the
// container was made with, or, if Name is not empty, as the user of that name in the
// container's /etc/passwd and /etc/group, with all groups there beside those.
type As struct {
	UID, GID uint32
	Name     string
}

// Program is what ExecStream starts: with exactly this uid and gid, and with Env
// added to the container's environment.
type Program struct {
	UID, GID  uint32
	Env, Argv []string
	Terminal  bool
	Waits     bool // it does nothing before it has input, so the engine may look at the container meanwhile
}

// Stream is an exec stream: a program in a container whose input and output come over
// a connection to the engine. The program outlives the connection.
type Stream interface {
	io.Writer // its input
	// CloseWrite ends the input.
	CloseWrite() error
	// Close ends the connection, not the program.
	Close()
	// Copy writes the program's output until it ends. With a terminal all of it goes
	// to out.
	Copy(out, errs io.Writer) error
	// Resize sets the size of the terminal, and waits until there is one.
	Resize(ctx context.Context, rows, cols uint16) error
	// Wait returns the exit code when the program has ended: 128 and the number of
	// the signal, if one ended it. ErrNotFound when the engine no longer knows the
	// program: it was restarted, or the container removed.
	Wait(ctx context.Context) (code int, err error)
}

// Run runs a program without input and returns its exit code, as Stream.Wait does.
func Run(ctx context.Context, e Execs, id string, p Program) (code int, err error) {
	s, err := e.ExecStream(ctx, id, p)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, s.Close)()
	if err := s.Copy(io.Discard, io.Discard); err != nil && ctx.Err() == nil {
		return 0, err
	}
	return s.Wait(ctx)
}
