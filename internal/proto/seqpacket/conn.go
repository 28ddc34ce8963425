package seqpacket

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is one end of a connection. Sending and receiving may go on at once.
type Conn struct {
	f   *os.File // for the runtime's poller and its deadlines
	raw syscall.RawConn
}

// New takes over a connected socket.
func New(fd int) (*Conn, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return wrap(fd)
}

// wrap is New for a socket that does not block.
func wrap(fd int) (*Conn, error) {
	f := os.NewFile(uintptr(fd), "socket")
	raw, err := f.SyscallConn()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Conn{f: f, raw: raw}, nil
}

// Close ends the connection.
func (c *Conn) Close() error { return c.f.Close() }

// SetDeadline limits every Send and Recv from now on; the error is then
// os.ErrDeadlineExceeded. The zero time means no limit.
func (c *Conn) SetDeadline(t time.Time) error { return c.f.SetDeadline(t) }

// Send sends one packet with descriptors, which stay open here.
func (c *Conn) Send(p []byte, fds ...int) error {
	var err error
	werr := c.raw.Write(func(fd uintptr) bool {
		err = send(int(fd), p, fds)
		return !errors.Is(err, unix.EAGAIN)
	})
	if werr != nil {
		return werr
	}
	return err
}

// maxPacket in bytes is more than any message has.
const maxPacket = 256 << 10

// room is where a packet is received before its length is known. It is held for
// one system call, which does not wait. It is no buffer of the heap: what of it is
// never used costs no memory.
var room struct {
	sync.Mutex
	buf [maxPacket]byte
}

// Recv receives one packet of at most limit bytes with its descriptors, all of
// them close-on-exec. A longer packet is unix.EMSGSIZE, the end io.EOF.
func (c *Conn) Recv(limit int) (p []byte, fds []int, err error) { return c.recv(limit, 0) }

// Peek is Recv, and leaves the packet for the next who receives, in this process or
// another.
func (c *Conn) Peek(limit int) (p []byte, fds []int, err error) { return c.recv(limit, unix.MSG_PEEK) }

func (c *Conn) recv(limit, how int) (p []byte, fds []int, err error) {
	rerr := c.raw.Read(func(fd uintptr) bool {
		room.Lock()
		defer room.Unlock()
		var n int
		n, fds, err = recv(int(fd), room.buf[:min(limit, maxPacket)], how)
		if errors.Is(err, unix.EAGAIN) {
			return false
		}
		p = append([]byte(nil), room.buf[:n]...)
		return true
	})
	if rerr != nil {
		return nil, nil, rerr
	}
	return p, fds, err
}

// Peer tells who connected (or, at the connecting end, who listened), from the
// kernel.
func (c *Conn) Peer() (*unix.Ucred, error) {
	var cred *unix.Ucred
	var err error
	cerr := c.raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if cerr != nil {
		return nil, cerr
	}
	return cred, err
}

// Fd is the descriptor, for poll(2) and for passing on. It stays the Conn's.
func (c *Conn) Fd() int {
	fd := -1
	_ = c.raw.Control(func(n uintptr) { fd = int(n) }) // a closed Conn gives -1
	return fd
}
