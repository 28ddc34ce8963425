package bridge

import (
	"errors"
	"io"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// output is where the program's output goes, the prelude's first line taken off.
type output struct {
	to    io.Writer
	mark  string
	first chan string // the first line, once
	line  []byte
	said  bool // the line is complete
	echo  int  // how many bytes of echoed may come next
}

// echoed is what a terminal makes of the line that opens the gate.
const echoed = "\r\n"

// maxLine in bytes is more than the prelude writes, and enough of an error.
const maxLine = 4 << 10

// Write never fails: a program whose output nobody takes is told by a signal.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	for !o.said && len(p) > 0 {
		b := p[0]
		p = p[1:]
		if b != '\n' && len(o.line) < maxLine {
			o.line = append(o.line, b)
			continue
		}
		o.said = true
		o.first <- string(o.line)
	}
	for o.echo > 0 && len(p) > 0 {
		if p[0] == echoed[len(echoed)-o.echo] {
			p = p[1:]
		}
		o.echo--
	}
	_, _ = o.to.Write(p)
	return n, nil
}

// sink is a descriptor that is written until nobody reads it.
type sink struct {
	fd     int
	once   sync.Once
	broken func() // called once, then
}

func (s *sink) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n, err := sys.Write(s.fd, rest)
		switch {
		case err == nil:
			rest = rest[n:]
		case errors.Is(err, unix.EAGAIN): // whoever made the pipe made it so
			_, _ = sys.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}, -1)
		default:
			s.once.Do(s.broken)
			return len(p), nil
		}
	}
	return len(p), nil
}

// source gives what can be read of a descriptor, until its end.
func source(fd int, buf []byte) int {
	for {
		n, err := sys.Read(fd, buf)
		switch {
		case err == nil:
			return n
		case errors.Is(err, unix.EAGAIN):
			_, _ = sys.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		default:
			return 0
		}
	}
}
