package bridge

import (
	"context"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"dockersh/internal/engine"
	"dockersh/internal/engine/docker"
	"dockersh/internal/seqpacket"
	"dockersh/internal/wire"
)

const (
	// settled is how long a container that is being stopped may take until the
	// engine says so.
	settled = time.Second
	// hangUpLimit is how long a session is tried to be hung up.
	hangUpLimit = 30 * time.Second
	// grace is how long the program on a terminal may go on after a hang-up.
	grace = 5 * time.Second
)

// attend carries the session until it is over, or its front is gone.
func (s *session) attend() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { s.listen(ctx); cancel() }()
	go s.input()
	if s.start.Terminal {
		go s.resizes()
	}
	select {
	case <-s.over:
	case <-ctx.Done():
	}
	code, err := s.stream.Wait(ctx)
	switch {
	case ctx.Err() != nil:
		s.hangUp()
	case err != nil:
		// The engine was restarted, or the container removed: the front asks the
		// broker what happened.
		s.log.Warn("session lost", "cause", err)
		_ = s.front.Close()
		s.hangUp()
	case code == 128+int(unix.SIGKILL) && s.stopped():
		// The end of the container, not the session's own.
	default:
		_ = s.front.Send(&wire.Exit{Status: uint32(code&0xff) << 8, OutOfMemory: s.outOfMemory(code)})
	}
}

// listen takes the front's signals until it is gone.
func (s *session) listen(ctx context.Context) {
	for {
		m, fds, err := s.front.Recv()
		seqpacket.CloseAll(fds)
		sig, ok := m.(*wire.Signal)
		if err != nil || !ok {
			return
		}
		if err := s.signal(ctx, group(unix.Signal(sig.Number))); err != nil {
			s.log.Info("signal", "number", sig.Number, "cause", err)
		}
	}
}

// group and alone write a signal for sendSignals: to the program's process group,
// and to the program.
func group(sig unix.Signal) string { return alone(sig) + "-" }
func alone(sig unix.Signal) string { return strconv.Itoa(int(sig)) + ":" }

// signal sends signals to the session from inside the container, with its user's
// rights.
func (s *session) signal(ctx context.Context, what ...string) error {
	_, err := s.engine.Run(ctx, s.task.Container, docker.Program{
		UID: s.task.UID, GID: s.task.GID,
		Argv: append([]string{shell, "-c", sendSignals, "dockersh", strconv.Itoa(s.inside.pid), strconv.Itoa(s.inside.parent)}, what...),
	})
	return err
}

// brokenPipe tells a program whose output nobody takes any more, as the kernel
// would.
func (s *session) brokenPipe() {
	if s.start.Terminal {
		return // the front is gone: the session is hung up
	}
	go func() {
		ctx, cancel := background(hangUpLimit)
		defer cancel()
		_ = s.signal(ctx, group(unix.SIGPIPE))
	}()
}

// hangUp ends a session whose front is gone: the engine's exec would outlive it.
// It does what the agent does, and for a terminal what the kernel does when one
// closes: the runtime keeps the real one open, so a program that takes no notice
// would read from it for ever.
func (s *session) hangUp() {
	if s.stream == nil {
		return
	}
	ctx, cancel := background(hangUpLimit)
	defer cancel()
	if s.inside.pid == 0 && s.hear(ctx) != nil {
		return
	}
	s.stream.Close()
	for {
		err := s.signal(ctx, group(unix.SIGHUP), group(unix.SIGCONT)) // a stopped job could not hear it
		if err == nil || errors.Is(err, engine.ErrNotFound) {
			break
		}
		select {
		case <-ctx.Done():
			s.log.Error("a session was left in the container", "pid", s.inside.pid, "cause", err)
			return
		case <-time.After(time.Second):
		}
	}
	if s.start.Terminal {
		wait, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		if _, err := s.stream.Wait(wait); wait.Err() != nil {
			s.log.Info("killed: it took no notice of the hang-up", "pid", s.inside.pid, "cause", err)
			_ = s.signal(ctx, alone(unix.SIGKILL))
		}
	}
}

// stopped tells whether the container has ended.
func (s *session) stopped() bool {
	ctx, cancel := background(settled)
	defer cancel()
	for {
		running, err := s.engine.Running(ctx, s.task.Container)
		if err != nil || !running {
			return ctx.Err() == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// outOfMemory tells whether a program that was killed was killed for memory.
func (s *session) outOfMemory(code int) bool {
	if code != 128+int(unix.SIGKILL) {
		return false
	}
	ctx, cancel := background(settled)
	defer cancel()
	killed, err := s.engine.OutOfMemory(ctx, s.task.Container, s.begun)
	if err != nil {
		s.log.Info("cannot ask for lack of memory", "cause", err)
	}
	return killed
}
