package bridge

import (
	"errors"
	"io"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// output takes the program's output and passes it on without the first line, which
// is the prelude's.
type output struct {
	to       io.Writer
	mark     string
	first    chan string // the first line, once
	line     []byte
	complete bool // the line is
	echo     int  // how many bytes of echoed may come next
}

// echoed is the terminal's echo of the line that the prelude waits for.
const echoed = "\r\n"

// maxLine is longer than the prelude's line, in bytes, and enough of an error.
const maxLine = 4 << 10

// Write never fails: a program whose output nobody reads gets a signal.
func (o *output) Write(p []byte) (int, error) {
	n := len(p)
	for !o.complete && len(p) > 0 {
		b := p[0]
		p = p[1:]
		if b != '\n' && len(o.line) < maxLine {
			o.line = append(o.line, b)
			continue
		}
		o.complete = true
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

// sink writes to a descriptor until nobody reads it. Write never fails.
type sink struct {
	fd     int
	once   sync.Once
	broken func() // called once, when nobody reads any more
}

func (s *sink) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n, err := sys.Write(s.fd, rest)
		switch {
		case err == nil:
			rest = rest[n:]
		case errors.Is(err, unix.EAGAIN): // the pipe may be non-blocking
			_, _ = sys.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}, -1)
		default:
			s.once.Do(s.broken)
			return len(p), nil
		}
	}
	return len(p), nil
}

// read reads from a descriptor, and returns 0 at its end.
func read(fd int, buf []byte) int {
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
