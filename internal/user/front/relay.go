package front

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// relay copies in one direction. At most one buffer is in flight, so that a slow reader
// slows the writer.
type relay struct {
	from, to int
	input    bool   // towards the container: not to be drained at the end
	pipe     bool   // the session's side is a pipe that we made, to be closed at the end
	received func() // called with input that was read and is not passed on yet; may be nil
	done     bool
	flood    bool // output comes faster than it is read, on a terminal
	buf      []byte
	rest     []byte // part of buf that is still to be written
}

// relayBuffer in bytes is what the kernel keeps of a pty's output.
const relayBuffer = 64 << 10

// gather is how long the output of a flood gathers before it is read: read at once, it comes
// line by line, and each line wakes the front and sshd. A read of floodBytes, about a page,
// means that more is on its way.
const gather, floodBytes = 200 * time.Microsecond, 4000

// pollFd returns what the relay waits for.
func (r *relay) pollFd() unix.PollFd {
	if len(r.rest) > 0 {
		return unix.PollFd{Fd: int32(r.to), Events: unix.POLLOUT}
	}
	return unix.PollFd{Fd: int32(r.from), Events: unix.POLLIN}
}

// step reads or writes once, and reports whether there was anything to do.
func (r *relay) step() bool {
	if len(r.rest) > 0 {
		n, err := sys.Write(r.to, r.rest)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false
		case err != nil:
			r.finish()
		default:
			r.rest = r.rest[n:]
			return n > 0
		}
		return true
	}
	if r.buf == nil {
		r.buf = make([]byte, relayBuffer)
	}
	n, ended := r.read()
	if ended {
		r.finish()
		return true
	}
	if n > 0 && r.received != nil {
		r.received()
	}
	r.flood = n >= floodBytes && !r.input && !r.pipe
	r.rest = r.buf[:n]
	return n > 0
}

// read fills buf as far as there is something to read. ended reports that nothing follows.
func (r *relay) read() (n int, ended bool) {
	if !r.input {
		return sys.ReadAvailable(r.from, r.buf)
	}
	n, err := sys.Read(r.from, r.buf) // once: it may block
	return max(n, 0), n <= 0 && !errors.Is(err, unix.EAGAIN)
}

// run is called when poll(2) reports that the relay is ready. It reads once, since input may
// come from an open file that blocks, and writes what it can.
func (r *relay) run() {
	if len(r.rest) == 0 {
		r.step()
	}
	for len(r.rest) > 0 && r.step() {
	}
}

// gathers reports whether the output should gather before the next read.
func (r *relay) gathers() bool { return r.flood && len(r.rest) == 0 }

// finish stops the relay. Closing the session's side of a pipe is the end of its input, or
// breaks its output.
func (r *relay) finish() {
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
	ended  cause = iota // its program has ended
	lost                // the agent is gone
	hungUp              // the client is gone
)

// signalDelay is how long a command runs before we handle signals. That starts threads of
// the runtime, and most scripted commands have ended by then.
const signalDelay = 10 * time.Millisecond

// copyUntilEnd runs the relays until the session is over and its output is written.
func (s *session) copyUntilEnd() (*wire.Exit, cause) {
	start := time.Now()
	var slice sys.TimeSlice
	var fds []unix.PollFd
	var live []*relay
	for {
		slice.Renew()
		fds = append(fds[:0], unix.PollFd{Fd: int32(s.agent.Fd()), Events: unix.POLLIN},
			unix.PollFd{Fd: int32(s.parent), Events: unix.POLLIN},
			unix.PollFd{Fd: int32(s.sshAgent.listener), Events: unix.POLLIN})
		live = live[:0]
		for _, r := range s.relays {
			if r.done {
				continue
			}
			if r.gathers() {
				_ = sys.PollFor(fds, gather) // for anything but the output, which comes last
			}
			live = append(live, r)
			fds = append(fds, r.pollFd())
		}
		wait := -1
		if !s.handlesSignals {
			wait = int(signalDelay / time.Millisecond)
		}
		n, err := sys.Poll(fds, wait)
		if err != nil {
			return nil, lost
		}
		if !s.handlesSignals && (n == 0 || time.Since(start) > signalDelay) {
			s.handleSignals()
		}
		for i, r := range live {
			if fds[i+3].Revents != 0 {
				r.run()
			}
		}
		if fds[2].Revents != 0 {
			s.sshAgent.serve()
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

// terminalGone reports whether the user's terminal has ended, in a session that has one.
func (s *session) terminalGone() bool { return s.master >= 0 && s.relays[0].done }

// drain copies what the session had written when it ended. Processes that it left behind
// may go on writing, which is not copied.
func (s *session) drain() {
	for _, r := range s.relays {
		if r.input {
			continue
		}
		for read := 0; !r.done && read < sys.MaxBuffered; {
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
			fds := []unix.PollFd{r.pollFd(), {Fd: int32(s.parent), Events: unix.POLLIN}}
			if _, err := sys.Poll(fds, -1); err != nil || fds[1].Revents != 0 {
				return
			}
		}
	}
}
