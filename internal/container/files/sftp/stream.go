package sftp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/dockersh/dockersh/internal/container/files/handles"
)

var (
	errPacket = errors.New("the client broke the protocol")
	errClosed = errors.New("the library ended the connection")
)

// stream is what the library has for a connection. It answers most requests itself, and
// passes the others to the library, one at a time: so they take effect in the order in which
// they came.
type stream struct {
	in    *bufio.Reader
	out   func(parts ...[]byte) error
	o     *options
	files handles.Table

	begun  bool   // the client has sent its first packet
	passed []byte // what the library has yet to read of a packet
	buf    []byte // for the client's packet, and for the answer to it

	mu      sync.Mutex // serializes output
	cond    sync.Cond  // of mu: waiting or err has changed
	waiting bool       // the library has a request that it has not answered
	reply   []byte     // what it has written of an answer
	rest    uint32     // what it has yet to write of it
	err     error      // of the output, or errClosed
}

func newStream(in io.Reader, out func(parts ...[]byte) error, o *options) *stream {
	s := &stream{in: bufio.NewReaderSize(in, 32<<10), out: out, o: o, buf: make([]byte, 4+maxPacket)}
	s.cond.L = &s.mu
	return s
}

// Read reads the next bytes of the packets that the library gets.
func (s *stream) Read(p []byte) (int, error) {
	for len(s.passed) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.passed)
	s.passed = s.passed[n:]
	return n, nil
}

// next takes the client's next packet, and answers it or passes it to the library.
func (s *stream) next() error {
	if err := s.settle(); err != nil {
		return err
	}
	const head = 4 + 1 + 4 // the length, the type, and the id or version
	if _, err := s.in.Peek(1); err != nil {
		return err // io.EOF between packets is the end
	}
	b, err := s.in.Peek(head)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	length, kind, id := binary.BigEndian.Uint32(b), b[4], binary.BigEndian.Uint32(b[5:])
	if length < head-4 || length > maxPacket || s.begun == (kind == typeInit) {
		return errPacket
	}
	packet := s.buf[:4+length]
	if _, err := io.ReadFull(s.in, packet); err != nil {
		return io.ErrUnexpectedEOF
	}
	if kind == typeInit {
		s.begun = true
		return s.respond(version())
	}
	return s.request(kind, id, packet, &reader{b: packet[head:]})
}

// request answers a request, or passes it to the library.
func (s *stream) request(kind byte, id uint32, packet []byte, r *reader) error {
	extension := ""
	if kind == typeExtended {
		if extension = r.str(); r.bad {
			return s.respond(status(id, statusBadMessage))
		}
	}
	switch {
	case !isRequest(kind):
		return s.respond(status(id, statusUnsupported))
	case s.o.denies(kind, extension):
		return s.respond(status(id, statusPermissionDenied))
	case s.isOfLibrary(kind, extension, *r):
		s.mu.Lock()
		defer s.mu.Unlock()
		s.passed, s.waiting = packet, true
		return s.err
	}
	return s.respond(s.answer(kind, extension, id, r))
}

// isRequest reports whether a packet of that type is a request.
func isRequest(kind byte) bool {
	return kind >= typeOpen && kind <= typeSymlink || kind == typeExtended
}

// isOfLibrary reports whether the library answers a request.
func (s *stream) isOfLibrary(kind byte, extension string, r reader) bool {
	switch kind {
	case typeLstat, typeSetstat, typeOpendir, typeReaddir, typeStat, typeReadlink, typeSymlink:
		return true
	case typeClose: // a directory's
		return !s.files.Has(r.str())
	case typeExtended:
		switch extension {
		case "posix-rename@openssh.com", "hardlink@openssh.com":
			return true
		}
	}
	return false
}

// settle waits until the library has answered.
func (s *stream) settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.waiting && s.err == nil {
		s.cond.Wait()
	}
	return s.err
}

// respond sends an answer of our own.
func (s *stream) respond(packet []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send(packet)
}

func (s *stream) send(parts ...[]byte) error {
	if s.err == nil {
		s.err = s.out(parts...)
	}
	return s.err
}

// Write takes a part of an answer from the library, and sends whole answers.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rest == 0 {
		if len(p) < 5 { // the library writes more than the length at first
			s.end(errPacket)
			return 0, errPacket
		}
		s.rest = 4 + binary.BigEndian.Uint32(p)
	}
	if uint32(len(p)) > s.rest {
		s.end(errPacket)
		return 0, errPacket
	}
	if s.rest -= uint32(len(p)); s.rest > 0 {
		s.reply = append(s.reply, p...)
		return len(p), s.err
	}
	err := s.send(s.reply, p)
	s.reply = s.reply[:0]
	s.waiting = false
	s.cond.Broadcast()
	return len(p), err
}

// Close is called by the library when the client broke the protocol.
func (s *stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(errClosed)
	return nil
}

func (s *stream) end(err error) {
	if s.err == nil {
		s.err = err
	}
	s.cond.Broadcast()
}
