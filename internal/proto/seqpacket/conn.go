package seqpacket

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Conn is one end of a connection. One goroutine may send while another receives.
type Conn struct {
	f   *os.File // for the runtime's poller and its deadlines
	raw syscall.RawConn

	refuses bool // see RefuseDescriptors
	plain   bool // the next packet is known to have no descriptors
}

// New takes over a connected socket.
func New(fd int) (*Conn, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return newNonblocking(fd)
}

// newNonblocking is New for a socket that is non-blocking already.
func newNonblocking(fd int) (*Conn, error) {
	f := os.NewFile(uintptr(fd), "socket")
	raw, err := f.SyscallConn()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Conn{f: f, raw: raw}, nil
}

// Close ends the connection.
func (c *Conn) Close() error {
	if fd := c.Fd(); c.refuses && fd >= 0 {
		return closeUnread(c.f, fd)
	}
	return c.f.Close()
}

// SetDeadline limits every Send and Recv from now on; after t they fail with
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

// Recv receives one packet of at most limit bytes, with its descriptors, which are
// close-on-exec. The error is unix.EMSGSIZE for a longer packet, and io.EOF at the end.
func (c *Conn) Recv(limit int) (p []byte, fds []int, err error) { return c.recv(limit, 0) }

// Peek is Recv, but leaves the packet in the socket, for this process or another one.
func (c *Conn) Peek(limit int) (p []byte, fds []int, err error) { return c.recv(limit, unix.MSG_PEEK) }

// NextSize waits for the next packet, leaves it in the socket, and returns its size; 0 at the
// end.
func (c *Conn) NextSize() (n int, err error) {
	rerr := c.raw.Read(func(fd uintptr) bool {
		for {
			var flags int
			n, _, flags, err = recvmsg(int(fd), nil, nil, unix.MSG_PEEK|unix.MSG_TRUNC|unix.MSG_DONTWAIT)
			if !errors.Is(err, unix.EINTR) {
				c.plain = err == nil && flags&unix.MSG_CTRUNC == 0 // as in hasDescriptors
				return !errors.Is(err, unix.EAGAIN)
			}
		}
	})
	if rerr != nil {
		return 0, rerr
	}
	return n, err
}

func (c *Conn) recv(limit, flags int) (p []byte, fds []int, err error) {
	rerr := c.raw.Read(func(fd uintptr) bool {
		if c.refuses && !c.plain {
			var has bool
			if has, err = hasDescriptors(int(fd)); errors.Is(err, unix.EAGAIN) {
				return false
			}
			if err == nil && has {
				err = ErrDescriptors
			}
			if err != nil {
				return true
			}
		}
		p, fds, err = recvCopy(int(fd), limit, flags)
		if errors.Is(err, unix.EAGAIN) {
			return false
		}
		c.plain = c.plain && flags&unix.MSG_PEEK != 0
		return true
	})
	if rerr != nil {
		return nil, nil, rerr
	}
	return p, fds, err
}

// Peer returns the credentials of the process that connected (or, at the connecting
// end, listened), as the kernel recorded them.
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

// PeerGroups returns the supplementary groups of the process that Peer names, as they were
// then.
func (c *Conn) PeerGroups() (groups []uint32, err error) {
	cerr := c.raw.Control(func(fd uintptr) { groups, err = peerGroups(fd) })
	if cerr != nil {
		return nil, cerr
	}
	return groups, err
}

// peerGroups asks for SO_PEERGROUPS (Linux 4.13).
func peerGroups(fd uintptr) ([]uint32, error) {
	groups := make([]uint32, 32)
	for {
		size := uint32(4 * len(groups))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
			uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno == 0:
			return groups[:size/4], nil
		case !errors.Is(errno, unix.ERANGE) || size/4 <= uint32(len(groups)):
			return nil, errno
		}
		groups = make([]uint32, size/4) // as many as there are, which does not change
	}
}

// PeerPidfd returns a descriptor of the process that Peer names, which the caller closes;
// -1 on a kernel that has none to offer (before Linux 6.5). With an error the process has
// ended.
func (c *Conn) PeerPidfd() (pidfd int, err error) {
	cerr := c.raw.Control(func(fd uintptr) {
		pidfd, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PEERPIDFD) // close-on-exec
	})
	if cerr != nil {
		return -1, cerr
	}
	if errors.Is(err, unix.ENOPROTOOPT) {
		return -1, nil
	}
	if err != nil {
		return -1, err
	}
	return pidfd, nil
}

// Fd returns the descriptor, for poll(2) and for passing on; -1 if c is closed. It
// still belongs to c.
func (c *Conn) Fd() int {
	fd := -1
	_ = c.raw.Control(func(n uintptr) { fd = int(n) }) // fails if c is closed
	return fd
}
