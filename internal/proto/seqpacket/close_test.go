package seqpacket

import (
	"errors"
	"net"
	"slices"
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
	type packet struct {
		data string
		fds  int
	}
	for what, packets := range map[string][]packet{
		"one":                          {{"x", 1}},
		"more than a message has":      {{"x", 5}},
		"as many as a packet can have": {{"x", 253}},
		"in an empty packet":           {{"", 1}},
		"behind other packets":         {{"x", 0}, {"", 0}, {"", 0}, {"", 1}},
		"behind many":                  append(slices.Repeat([]packet{{"x", 0}}, maxDropped), packet{"x", 1}),
		"behind many empty ones":       append(slices.Repeat([]packet{{"", 0}}, maxDropped), packet{"x", 1}),
	} {
		t.Run(what, func(t *testing.T) {
			raw, peer := pair(t)
			c, err := New(raw)
			if err != nil {
				t.Fatal(err)
			}
			c.RefuseDescriptors()
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			for _, packet := range packets {
				sendLingering(t, peer, packet.data, packet.fds)
			}
			start := time.Now()
			if _, _, err := c.Recv(100); packets[0].fds > 0 && !errors.Is(err, ErrDescriptors) {
				t.Errorf("received: %v", err)
			}
			_ = c.Close()
			awaitClosed(t)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestDescriptorsAreRefusedBehindAPacketOfKnownSize(t *testing.T) {
	raw, peer := pair(t)
	c, err := New(raw)
	if err != nil {
		t.Fatal(err)
	}
	c.RefuseDescriptors()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	sendLingering(t, peer, "first", 0)
	sendLingering(t, peer, "x", 1)
	for range 2 {
		if n, err := c.NextSize(); n != len("first") || err != nil {
			t.Fatalf("%d %v", n, err)
		}
	}
	for range 2 {
		if p, _, err := c.Peek(100); string(p) != "first" || err != nil {
			t.Fatalf("%q %v", p, err)
		}
	}
	if p, _, err := c.Recv(100); string(p) != "first" || err != nil {
		t.Fatalf("%q %v", p, err)
	}
	for range 2 {
		if _, _, err := c.Recv(100); !errors.Is(err, ErrDescriptors) {
			t.Errorf("received: %v", err)
		}
		if n, err := c.NextSize(); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
	}
	_ = c.Close()
	awaitClosed(t)
}

// sendLingering sends a packet with a number of descriptors that linger.
func sendLingering(t *testing.T, peer int, data string, fds int) {
	t.Helper()
	var rights []byte
	if fds > 0 {
		fd := lingering(t)
		defer unix.Close(fd) // the packet has it, so this does not take long
		rights = unix.UnixRights(slices.Repeat([]int{fd}, fds)...)
	}
	if err := unix.Sendmsg(peer, []byte(data), rights, nil, 0); err != nil {
		t.Fatal(err)
	}
}

// awaitClosed waits until the sockets that were left to the background are closed.
func awaitClosed(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		unread.Lock()
		closing := unread.closing
		unread.Unlock()
		if !closing {
			return
		}
		if time.Now().After(end) {
			t.Fatal("not within 30 s")
		}
	}
}

// A peer may have sent what nobody reads. Only descriptors are worth another thread.
func TestPacketsWithoutDescriptorsAreDropped(t *testing.T) {
	for _, packets := range [][]string{nil, {"x"}, {""}, {"", "x", ""}} {
		raw, peer := pair(t)
		for _, p := range packets {
			sendLingering(t, peer, p, 0)
		}
		if !isEmpty(raw) {
			t.Errorf("after %q it is not empty", packets)
		}
		_ = unix.Close(raw)
	}
}

// The process that was given the socket ended before we closed it.
func TestFewThreadsWaitForWhatIsLeftInSocketsOfOthers(t *testing.T) {
	const sockets = maxShared + 8
	closed := make(chan error, sockets)
	t.Run("while they linger", func(t *testing.T) {
		for range sockets {
			raw, peer := pair(t)
			sendLingering(t, peer, "x", 1)
			go func() { closed <- CloseShared(func() error { return unix.Close(raw) }) }()
		}
		for range sockets - maxShared {
			select {
			case <-closed:
			case <-time.After(10 * time.Second):
				t.Fatal("more threads wait")
			}
		}
		raw, _ := pair(t)
		start := time.Now()
		if err := CloseShared(func() error { return unix.Close(raw) }); err != nil || time.Since(start) > 5*time.Second {
			t.Errorf("others: %v after %v", err, time.Since(start))
		}
		if len(closed) > 0 {
			t.Error("the descriptors do not linger: this test shows nothing")
		}
	})
	for range maxShared {
		<-closed
	}
}

func TestCloseElsewhereClosesForGood(t *testing.T) {
	raw, peer := pair(t)
	if err := CloseElsewhere(func() error { return unix.Close(raw) }); err != nil {
		t.Fatal(err)
	}
	_ = unix.SetsockoptTimeval(peer, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	if n, _, err := unix.Recvfrom(peer, make([]byte, 1), 0); n != 0 || err != nil {
		t.Errorf("the other end: %d %v", n, err)
	}
}
