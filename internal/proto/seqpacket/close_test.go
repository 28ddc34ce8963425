package seqpacket

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lingering returns a descriptor that takes 20 s to close.
func lingering(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept() // which reads nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := errors.Join(unix.SetNonblock(fd, true), unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 20})); err != nil {
		t.Fatal(err)
	}
	for full := make([]byte, 1<<16); ; {
		if _, err := unix.Write(fd, full); errors.Is(err, unix.EAGAIN) {
			return fd
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever sends a descriptor decides how long it takes to close.
func TestDescriptorsOfAPeerHoldNobodyUp(t *testing.T) {
	for what, packets := range map[string][]struct {
		data string
		fds  int
	}{
		"one":                           {{"x", 1}},
		"more than a message has":       {{"x", 5}},
		"as many as a packet can have":  {{"x", 253}},
		"in an empty packet":            {{"", 1}},
		"behind other packets":          {{"x", 0}, {"", 0}, {"", 0}, {"", 1}},
		"none in a packet of any other": {{"x", 0}},
	} {
		t.Run(what, func(t *testing.T) {
			p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			c, err := New(p[0])
			if err != nil {
				t.Fatal(err)
			}
			c.RefuseDescriptors()
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			for _, packet := range packets {
				var rights []byte
				if packet.fds > 0 {
					fd := lingering(t)
					all := make([]int, packet.fds)
					for i := range all {
						all[i] = fd
					}
					rights = unix.UnixRights(all...)
					defer func() {
						start := time.Now()
						if _, _, err := c.Recv(100); packets[0].fds > 0 && !errors.Is(err, ErrDescriptors) {
							t.Errorf("received: %v", err)
						}
						_ = c.Close()
						if took := time.Since(start); took > 10*time.Second {
							t.Errorf("it took %v", took)
						}
						_ = unix.Close(p[1])
					}()
					if err := unix.Sendmsg(p[1], []byte(packet.data), rights, nil, 0); err != nil {
						t.Fatal(err)
					}
					_ = unix.Close(fd)
					continue
				}
				if err := unix.Sendmsg(p[1], []byte(packet.data), nil, nil, 0); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestCloseElsewhereClosesForGood(t *testing.T) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := CloseElsewhere(func() error { return unix.Close(p[0]) }); err != nil {
		t.Fatal(err)
	}
	c, err := New(p[1])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, _, err := c.Recv(1); err == nil || errors.Is(err, unix.ETIMEDOUT) {
		t.Errorf("the other end: %v", err)
	}
}
