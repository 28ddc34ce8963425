package front

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// relay copies one direction. At most one buffer is in flight, so that a slow
// reader slows the writer.
type relay struct {
	from, to int
	input    bool // towards the container: not to be drained at the end
	pipe     bool // our side is a pipe of ours: closing it tells the session
	done     bool
	buf      []byte
	rest     []byte // of buf, still to be written
}

// relayBuffer in bytes: a pty gives a page at a time, a pipe or a file more.
const relayBuffer = 32 << 10

// poll says what the relay waits for.
func (r *relay) poll() unix.PollFd {
	if len(r.rest) > 0 {
		return unix.PollFd{Fd: int32(r.to), Events: unix.POLLOUT}
	}
	return unix.PollFd{Fd: int32(r.from), Events: unix.POLLIN}
}

// step reads or writes once. It returns false when there was nothing to do.
func (r *relay) step() bool {
	if len(r.rest) > 0 {
		n, err := sys.Write(r.to, r.rest)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false
		case err != nil:
			r.end()
		default:
			r.rest = r.rest[n:]
		}
		return true
	}
	if r.buf == nil {
		r.buf = make([]byte, relayBuffer)
	}
	// A pty gives a page at a time: several reads, one write, so that whoever
	// reads behind us is woken less often.
	n := 0
	for n < len(r.buf) {
		m, err := sys.Read(r.from, r.buf[n:])
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil || m == 0 {
			if n == 0 {
				r.end()
				return true
			}
			break // met again by the next read
		}
		if n += m; r.input {
			break
		}
	}
	r.rest = r.buf[:n]
	return n > 0
}

// turn is called when poll has found the relay ready. Output goes on while there
// is some, without asking poll before each step; input may come from an open file
// that blocks, and is read once.
func (r *relay) turn() {
	for range 32 {
		reading := len(r.rest) == 0
		if !r.step() || r.done || r.input && !reading {
			return
		}
	}
}

// end stops the relay. Closing the session's side lets it see the end of input,
// or a broken pipe.
func (r *relay) end() {
	r.done = true
	r.rest = nil
	switch {
	case r.pipe && r.input:
		_ = unix.Close(r.to)
	case r.pipe:
		_ = unix.Close(r.from)
	}
}

// cause is why a session is over.
type cause int

const (
	ended  cause = iota // the agent said so
	lost                // the agent is gone
	hungUp              // the client is gone
)

// brief is how long a command may run before it is worth starting
// the runtime's signal threads for: most scripted ones are over by then.
const brief = 10 * time.Millisecond

// pump runs the relays until the session is over and its output written.
func (s *session) pump() (*wire.Exit, cause) {
	begun := time.Now()
	for {
		fds := []unix.PollFd{{Fd: int32(s.agent.Fd()), Events: unix.POLLIN}, {Fd: int32(s.parent), Events: unix.POLLIN}}
		var live []*relay
		for _, r := range s.relays {
			if !r.done {
				live = append(live, r)
				fds = append(fds, r.poll())
			}
		}
		wait := -1
		if !s.heeding {
			wait = int(brief / time.Millisecond)
		}
		n, err := sys.Poll(fds, wait)
		if err != nil {
			return nil, lost
		}
		if !s.heeding && (n == 0 || time.Since(begun) > brief) {
			s.heed()
		}
		for i, r := range live {
			if fds[i+2].Revents != 0 {
				r.turn()
			}
		}
		if fds[1].Revents != 0 || s.terminalGone() {
			return nil, hungUp
		}
		if fds[0].Revents != 0 {
			exit := s.agent.Exit()
			s.drain()
			if exit == nil {
				return nil, lost
			}
			return exit, ended
		}
	}
}

// terminalGone tells whether the user's terminal ended under a session that has
// one.
func (s *session) terminalGone() bool { return s.master >= 0 && s.relays[0].done }

// drainLimit in bytes is more than a pty or a pipe holds (pipe-max-size is 1 MiB).
const drainLimit = 2 << 20

// drain writes what the session had written when it ended. Processes that it left
// behind may go on writing: not for us any more.
func (s *session) drain() {
	for _, r := range s.relays {
		if r.input {
			continue
		}
		for read := 0; !r.done && read < drainLimit; {
			writing := len(r.rest) > 0
			if r.step() {
				if !writing {
					read += len(r.rest)
				}
				continue
			}
			if !writing {
				break // nothing more to read
			}
			fds := []unix.PollFd{r.poll(), {Fd: int32(s.parent), Events: unix.POLLIN}}
			if _, err := sys.Poll(fds, -1); err != nil || fds[1].Revents != 0 {
				return
			}
		}
	}
}
