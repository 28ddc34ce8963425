package carrier

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// start serves a forward to a service, and returns its address. Serve's error goes to ended.
func start(t *testing.T, connections int, service func(*net.TCPConn)) (addr string, ended chan error, l net.Listener) {
	t.Helper()
	host := listen(t)
	go func() {
		for {
			c, err := host.Accept()
			if err != nil {
				return
			}
			go service(c.(*net.TCPConn))
		}
	}()
	l = listen(t)
	ended = make(chan error, 1)
	go func() { ended <- serve(l, host.Addr().String(), make(chan struct{}, connections)) }()
	return l.Addr().String(), ended, l
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp4", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return c.(*net.TCPConn)
}

func TestBytesAndEndsAreCarriedBothWays(t *testing.T) {
	const size = 3 << 20
	sent := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	got := make(chan []byte, 1)
	addr, _, _ := start(t, 4, func(c *net.TCPConn) {
		defer c.Close()
		all, _ := io.ReadAll(c) // until the client has said its end
		got <- all
		_, _ = c.Write(all)
	})
	c := dial(t, addr)
	go func() { _, _ = c.Write(sent); _ = c.CloseWrite() }()
	answer, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(answer, sent) || !bytes.Equal(<-got, sent) {
		t.Errorf("%d bytes of %d came back: %v", len(answer), size, err)
	}
}

func TestConnectionThatIsResetEndsTheOther(t *testing.T) {
	ended := make(chan struct{})
	addr, _, _ := start(t, 4, func(c *net.TCPConn) {
		defer close(ended)
		_, _ = c.Write([]byte("x"))
		_, _ = io.Copy(io.Discard, c) // it never says its own end
	})
	c := dial(t, addr)
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetLinger(0)
	_ = c.Close()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the service still waits")
	}
}

func TestConnectionToNobodyIsReset(t *testing.T) {
	host := listen(t)
	_ = host.Close()
	l := listen(t)
	go serve(l, host.Addr().String(), make(chan struct{}, 1))
	for range 3 { // and its place is free again
		c, err := net.DialTimeout("tcp4", l.Addr().String(), 5*time.Second)
		if err == nil {
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			_, err = c.Read(make([]byte, 1))
			_ = c.Close()
		}
		if !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("%v", err)
		}
	}
}

func TestConnectionsBeyondTheLimitWaitForAPlace(t *testing.T) {
	addr, _, _ := start(t, 2, func(c *net.TCPConn) { _, _ = c.Write([]byte("x")) })
	answered := func(c *net.TCPConn, limit time.Duration) bool {
		_ = c.SetReadDeadline(time.Now().Add(limit))
		n, _ := c.Read(make([]byte, 1))
		return n == 1
	}
	first, second, third := dial(t, addr), dial(t, addr), dial(t, addr)
	if !answered(first, 10*time.Second) || !answered(second, 10*time.Second) {
		t.Fatal("the first two are not carried")
	}
	if answered(third, 50*time.Millisecond) {
		t.Error("three at a time")
	}
	_ = first.SetLinger(0)
	_ = first.Close()
	if !answered(third, 10*time.Second) {
		t.Error("the place of one that ended is not free")
	}
}

func TestServingEndsWithItsListener(t *testing.T) {
	_, ended, l := start(t, 2, func(*net.TCPConn) {})
	_ = l.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("without an error")
		}
	case <-time.After(10 * time.Second):
		t.Error("it goes on")
	}
}

func TestCarryingEndsWithTheContainer(t *testing.T) {
	one := exec.Command("sleep", "1000")
	if err := one.Start(); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(one.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	ended := make(chan error, 1)
	go func() { ended <- awaitEnd(fd) }()
	select {
	case err := <-ended:
		t.Fatalf("at once: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	_ = one.Process.Kill()
	_ = one.Wait()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it goes on")
	}
}
