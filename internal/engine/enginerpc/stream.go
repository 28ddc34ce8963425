package enginerpc

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/dockersh/dockersh/internal/engine"
)

// connection is that of one call.
type connection struct {
	*net.UnixConn
	in *json.Decoder // of requests and answers; it may have read more

	mu   sync.Mutex // writes
	rest io.Reader
}

// answer sends an answer. One that cannot be sent is for nobody.
func (c *connection) answer(a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = json.NewEncoder(c.UnixConn).Encode(a)
}

// frame is a piece of a stream.
type frame struct {
	kind byte
	data []byte
}

const (
	input  = 'i' // to the program; an empty one is its end
	size   = 's' // of the terminal: rows, columns
	hangUp = 'c' // the client wants no more output
	out    = 'o'
	errs   = 'e'
	taken  = 't' // a frame of input was taken by the program
	exited = 'x' // exit code, and the failure in JSON
)

// window is how many frames of input may be on their way: a program that reads none must not keep
// the other process from the frames behind.
const window = 16

// maxFrame is the most that a frame carries.
const maxFrame = 64 << 10

// send sends a frame in pieces that fit.
func (c *connection) send(kind byte, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		n := min(len(data), maxFrame)
		head := binary.LittleEndian.AppendUint32([]byte{kind}, uint32(n))
		if _, err := (&net.Buffers{head, data[:n]}).WriteTo(c.UnixConn); err != nil {
			return err
		}
		if data = data[n:]; len(data) == 0 {
			return nil
		}
	}
}

// begin makes the connection one of frames.
func (c *connection) begin() {
	c.rest = io.MultiReader(c.in.Buffered(), c.UnixConn)
	var newline [1]byte
	_, _ = io.ReadFull(c.rest, newline[:]) // the end of the JSON
}

// receive receives a frame.
func (c *connection) receive() (f frame, err error) {
	var head [5]byte
	if _, err := io.ReadFull(c.rest, head[:]); err != nil {
		return f, err
	}
	n := binary.LittleEndian.Uint32(head[1:])
	if n > maxFrame {
		return f, fmt.Errorf("a frame of %d bytes", n)
	}
	f = frame{head[0], make([]byte, n)}
	_, err = io.ReadFull(c.rest, f.data)
	return f, err
}

// to is a stream's output on its way.
type to struct {
	conn *connection
	kind byte
}

func (w to) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return len(p), w.conn.send(w.kind, p)
}

// serveStream carries a program's streams.
func serveStream(ctx context.Context, cancel func(), conn *connection, e engine.Engine, r *request) {
	s, err := e.ExecStream(ctx, r.ID, r.Program)
	conn.answer(&answer{Error: failureOf(err), Counts: e.Counts()})
	if err != nil {
		return
	}
	conn.begin()
	defer context.AfterFunc(ctx, s.Close)()
	pieces := make(chan []byte, window+1)
	go func() {
		for p := range pieces {
			if len(p) == 0 {
				_ = s.CloseWrite()
			} else {
				_, _ = s.Write(p)
			}
			_ = conn.send(taken, nil)
		}
	}()
	go func() {
		defer cancel()
		defer close(pieces)
		for {
			f, err := conn.receive()
			if err != nil {
				return
			}
			switch f.kind {
			case input:
				select {
				case pieces <- f.data:
				default:
					return // more than it may
				}
			case size:
				if len(f.data) == 4 {
					_ = s.Resize(ctx, binary.LittleEndian.Uint16(f.data), binary.LittleEndian.Uint16(f.data[2:]))
				}
			case hangUp:
				s.Close()
			}
		}
	}()
	_ = s.Copy(to{conn, out}, to{conn, errs})
	code, err := s.Wait(ctx)
	end, _ := json.Marshal(failureOf(err))
	_ = conn.send(exited, append(binary.LittleEndian.AppendUint32(nil, uint32(code)), end...))
}

// stream is the client's side of a program.
type stream struct {
	conn  *connection
	outs  chan [2]io.Writer // of Copy
	once  sync.Once
	ended chan struct{}
	room  chan struct{} // one for each frame of input on its way
	code  int
	err   error // once it has ended
}

// ExecStream starts a program and connects to it.
func (c *Client) ExecStream(ctx context.Context, id string, p engine.Program) (engine.Stream, error) {
	_, conn, err := c.open(ctx, request{Call: "ExecStream", ID: id, Program: p}, nil)
	if err != nil {
		return nil, err
	}
	conn.begin()
	s := &stream{conn: conn, outs: make(chan [2]io.Writer, 1), ended: make(chan struct{}), room: make(chan struct{}, window)}
	go s.receive()
	return s, nil
}

// receive receives output until the program ends. It waits until somebody wants it.
func (s *stream) receive() {
	defer s.conn.Close()
	defer close(s.ended)
	var w [2]io.Writer
	for {
		f, err := s.conn.receive()
		if err != nil {
			s.err = fmt.Errorf("%w: the stream ended: %w", engine.ErrDown, err)
			return
		}
		if (f.kind == out || f.kind == errs) && w[0] == nil {
			w = <-s.outs
		}
		switch f.kind {
		case taken:
			select {
			case <-s.room:
			default:
			}
		case out:
			_, _ = w[0].Write(f.data)
		case errs:
			_, _ = w[1].Write(f.data)
		case exited:
			var end *failure
			if len(f.data) < 4 || json.Unmarshal(f.data[4:], &end) != nil {
				s.err = errors.New("the end of the stream cannot be read")
			} else if s.code = int(int32(binary.LittleEndian.Uint32(f.data))); end != nil {
				s.err = end
			}
			return
		}
	}
}

func (s *stream) want(out, errs io.Writer) { s.once.Do(func() { s.outs <- [2]io.Writer{out, errs} }) }

func (s *stream) Write(p []byte) (int, error) {
	for n := 0; n < len(p); {
		piece := p[n:min(n+maxFrame, len(p))]
		if err := s.input(piece); err != nil {
			return n, err
		}
		n += len(piece)
	}
	return len(p), nil
}

func (s *stream) CloseWrite() error { return s.input(nil) }

// input sends a frame of input when there is room for it.
func (s *stream) input(p []byte) error {
	select {
	case s.room <- struct{}{}:
		return s.conn.send(input, p)
	case <-s.ended:
		return io.ErrClosedPipe
	}
}

func (s *stream) Close() {
	_ = s.conn.send(hangUp, nil)
	s.want(io.Discard, io.Discard)
}

func (s *stream) Copy(out, errs io.Writer) error {
	s.want(out, errs)
	<-s.ended
	return s.err
}

func (s *stream) Resize(_ context.Context, rows, cols uint16) error {
	return s.conn.send(size, binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, rows), cols))
}

func (s *stream) Wait(ctx context.Context) (int, error) {
	select {
	case <-s.ended:
		return s.code, s.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
