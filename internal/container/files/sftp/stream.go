package sftp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"sync"
)

var (
	errPacket = errors.New("the client broke the protocol")
	errClosed = errors.New("the library ended the connection")
)

// stream is what the library has for a connection. It passes packets between client and
// library, changes some on their way, and answers others itself.
type stream struct {
	in     *bufio.Reader
	out    func(parts ...[]byte) error
	denied func(kind byte, extension string) bool

	begun   bool   // the client has sent its first packet
	changed []byte // what the library gets in place of a packet
	left    uint32 // bytes of a packet that pass unchanged

	mu      sync.Mutex // serializes output
	cond    sync.Cond  // of mu: fewer are waiting, or closed
	waiting int        // requests that the library has not answered
	reply   []byte     // what it has written of an answer
	rest    uint32     // what it has yet to write of it
	err     error      // of the output, or errClosed
}

func newStream(in io.Reader, out func(parts ...[]byte) error, denied func(byte, string) bool) *stream {
	s := &stream{in: bufio.NewReaderSize(in, 32<<10), out: out, denied: denied}
	s.cond.L = &s.mu
	return s
}

// Read reads the next bytes of the client's packets, for the library.
func (s *stream) Read(p []byte) (int, error) {
	for s.left == 0 && len(s.changed) == 0 {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	if len(s.changed) > 0 {
		n := copy(p, s.changed)
		s.changed = s.changed[n:]
		return n, nil
	}
	n, err := s.in.Read(p[:min(len(p), int(s.left))])
	s.left -= uint32(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// next begins with the client's next packet.
func (s *stream) next() error {
	const head = 4 + 1 + 4 // the length, the type, and the id or version
	if s.in.Buffered() == 0 {
		// The library's workers go first: they would wait until the runtime notices that
		// this goroutine blocks in read(2).
		if err := s.settle(); err != nil {
			return err
		}
	}
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
	switch kind {
	case typeInit:
		s.begun = true
		if _, err := s.packet(length); err != nil {
			return err
		}
		return s.respond(version())
	case typeOpen, typeMkdir, typeRename, typeRemove, typeRmdir, typeRealpath, typeExtended:
		body, err := s.packet(length)
		if err != nil {
			return err
		}
		return s.request(kind, id, body)
	}
	if !isRequest(kind) || s.denied(kind, "") {
		code := uint32(statusUnsupported)
		if isRequest(kind) {
			code = statusPermissionDenied
		}
		if _, err := s.in.Discard(int(4 + length)); err != nil {
			return io.ErrUnexpectedEOF
		}
		return s.respond(status(id, code))
	}
	s.left = 4 + length
	return s.expect()
}

// packet takes a packet of that length from the client.
func (s *stream) packet(length uint32) ([]byte, error) {
	b := make([]byte, 4+length)
	_, err := io.ReadFull(s.in, b)
	if err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return b, nil
}

// request answers a request, or passes it to the library.
func (s *stream) request(kind byte, id uint32, packet []byte) error {
	r := &reader{b: packet[9:]}
	extension := ""
	if kind == typeExtended {
		if extension = r.str(); r.bad {
			return s.respond(status(id, statusBadMessage))
		}
	}
	if s.denied(kind, extension) {
		return s.respond(status(id, statusPermissionDenied))
	}
	switch {
	case kind == typeOpen:
		return s.open(id, r)
	case isOfLibrary(extension):
		s.changed = packet
		return s.expect()
	}
	// Requests take effect in the order in which they came.
	if err := s.settle(); err != nil {
		return err
	}
	return s.respond(answer(kind, extension, id, r))
}

// open passes on a request to open a file. Where the client names no permissions for a new one,
// they are those of OpenSSH.
func (s *stream) open(id uint32, r *reader) error {
	path, flags := r.str(), r.u32()
	mode := r.permissions(0o666)
	if r.bad {
		return s.respond(status(id, statusBadMessage))
	}
	b := appendStr(appendU32(newPacket(typeOpen), id), path)
	s.changed = finish(appendU32(appendU32(appendU32(b, flags), attrPermissions), mode))
	return s.expect()
}

// isRequest reports whether the library knows a type of packet.
func isRequest(kind byte) bool {
	return kind >= typeOpen && kind <= typeSymlink || kind == typeExtended
}

// isOfLibrary reports whether the library answers an extension.
func isOfLibrary(extension string) bool {
	switch extension {
	case "posix-rename@openssh.com", "statvfs@openssh.com", "hardlink@openssh.com":
		return true
	}
	return false
}

// atOnce is how many requests the library has at a time. It keeps two buffers for each, of
// which a client can fill 256 KiB.
const atOnce = 8

// expect waits until the library may get another request, and counts it.
func (s *stream) expect() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait(atOnce - 1)
	s.waiting++
	return s.err
}

// settle waits until the library has answered everything.
func (s *stream) settle() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait(0)
	return s.err
}

// wait waits until the library has no more than n requests.
func (s *stream) wait(n int) {
	for s.waiting > n && s.err == nil {
		s.cond.Wait()
	}
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

// Write takes a part of an answer from the library, which writes the data of a file apart
// from what stands before it, and sends whole answers.
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
	s.waiting--
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
