package seqpacket

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// socket is what both types of connection have in common.
type socket interface {
	Send(p []byte, fds ...int) error
	Recv(limit int) ([]byte, []int, error)
	SetDeadline(time.Time) error
	Fd() int
	Close() error
}

// pair returns two connected sockets. The second is closed after the test.
func pair(t *testing.T) (first, second int) {
	t.Helper()
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(p[1]) })
	return p[0], p[1]
}

// onBothTypes runs a test with each type of connection and a plain socket as its peer.
func onBothTypes(t *testing.T, f func(t *testing.T, c socket, peer int)) {
	t.Helper()
	for name, make := range map[string]func(int) (socket, error){
		"Conn": func(fd int) (socket, error) { return New(fd) },
		"Sync": func(fd int) (socket, error) { return NewSync(fd) },
	} {
		t.Run(name, func(t *testing.T) {
			raw, peer := pair(t)
			c, err := make(raw)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			f(t, c, peer)
		})
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestPacketsKeepTheirBoundariesAndDescriptors(t *testing.T) {
	onBothTypes(t, func(t *testing.T, c socket, peer int) {
		for _, p := range []string{"one", strings.Repeat("x", 100000)} {
			if err := unix.Sendmsg(peer, []byte(p), unix.UnixRights(0, 1), nil, 0); err != nil {
				t.Fatal(err)
			}
			got, fds, err := c.Recv(200000)
			if err != nil || string(got) != p || len(fds) != 2 {
				t.Fatalf("%d bytes, %v, %v", len(got), fds, err)
			}
			for _, fd := range fds {
				if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
					t.Errorf("descriptor %d would survive exec: %v", fd, err)
				}
			}
			CloseAll(fds)
		}
		if err := c.Send([]byte("back"), 0); err != nil {
			t.Fatal(err)
		}
		b, oob := make([]byte, 10), make([]byte, 100)
		n, oobn, _, _, err := unix.Recvmsg(peer, b, oob, 0)
		if err != nil || !bytes.Equal(b[:n], []byte("back")) || oobn == 0 {
			t.Errorf("%q %d %v", b[:n], oobn, err)
		}
	})
}

func TestRefusedPacketLeavesNoDescriptorOpen(t *testing.T) {
	onBothTypes(t, func(t *testing.T, c socket, peer int) {
		before := openFiles(t)
		for what, send := range map[string]func() error{
			"too many": func() error { return unix.Sendmsg(peer, []byte("x"), unix.UnixRights(0, 0, 0, 0, 0, 0, 0, 0), nil, 0) },
			"too long": func() error { return unix.Sendmsg(peer, make([]byte, 101), unix.UnixRights(0), nil, 0) },
			"empty":    func() error { return unix.Sendto(peer, nil, 0, nil) },
		} {
			if err := send(); err != nil {
				t.Fatal(err)
			}
			if p, fds, err := c.Recv(100); err == nil || len(fds) != 0 {
				t.Errorf("%s: got %q %v", what, p, fds)
			}
		}
		if now := openFiles(t); now != before {
			t.Errorf("%d descriptors stay open", now-before)
		}
	})
}

func TestEndAndDeadlineAreDistinctErrors(t *testing.T) {
	onBothTypes(t, func(t *testing.T, c socket, peer int) {
		_ = c.SetDeadline(time.Now().Add(20 * time.Millisecond))
		if _, _, err := c.Recv(10); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
		for { // until the queue is full
			err := c.Send(make([]byte, 1000))
			if err == nil {
				continue
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			break
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if err := unix.Shutdown(peer, unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Recv(10); err != io.EOF {
			t.Errorf("got %v", err)
		}
	})
}

func TestSocketIsReplacedAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	bind := func() int {
		fd, err := Bind(path, 0o666, 1)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	last, ended, seen := bind(), make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-ended:
				seen <- nil
				return
			default:
			}
			if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o666 {
				seen <- fmt.Errorf("%v: %v", st, err)
				return
			}
		}
	}()
	for range 2000 {
		next := bind()
		_ = unix.Close(last)
		last = next
	}
	close(ended)
	if err := <-seen; err != nil {
		t.Error(err)
	}
	_ = unix.Close(last)
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("%v %v", names, err)
	}
}

func TestSocketPathMayHaveAnyLength(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("deep/", 50), "sock")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Connect(path); err != unix.ENOENT {
		t.Errorf("no socket: %v", err)
	}
	for range 2 { // the second replaces the first
		fd, err := Bind(path, 0o640, 1)
		if err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil || st.Mode().Perm() != 0o640 {
			t.Errorf("mode %v %v", st.Mode(), err)
		}
		l, err := NewListener(fd)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Dial(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if cred, err := s.Peer(); err != nil || int(cred.Uid) != os.Getuid() || int(cred.Pid) != os.Getpid() {
			t.Errorf("%+v %v", cred, err)
		}
		pidfd, err := s.PeerPidfd()
		if err != nil {
			t.Error(err)
		}
		if pidfd >= 0 { // the kernel has one to offer
			if info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(pidfd)); err != nil || !strings.Contains(string(info), "\nPid:\t"+strconv.Itoa(os.Getpid())+"\n") {
				t.Errorf("the descriptor of another process: %s %v", info, err)
			}
			_ = unix.Close(pidfd)
		}
		_, _, _ = c.Close(), s.Close(), l.Close()
	}
	if _, err := Connect(path); err != unix.ECONNREFUSED {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestSizeOfAPacketIsKnownBeforeItIsReceived(t *testing.T) {
	p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(p[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	for _, want := range []int{1, 100_000} {
		if err := send(p[1], make([]byte, want), []int{0, 1}); err != nil {
			t.Fatal(err)
		}
		before := openFiles(t)
		for range 2 {
			if n, err := c.NextSize(); n != want || err != nil {
				t.Errorf("%d %v, want %d", n, err, want)
			}
		}
		if n := openFiles(t) - before; n != 0 {
			t.Errorf("%d descriptors more", n)
		}
		b, fds, err := c.Recv(want)
		if len(b) != want || len(fds) != 2 || err != nil {
			t.Errorf("%d bytes, %d descriptors: %v", len(b), len(fds), err)
		}
		CloseAll(fds)
	}
	_ = c.SetDeadline(time.Now().Add(-time.Second))
	if _, err := c.NextSize(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("nothing came: %v", err)
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_ = unix.Close(p[1])
	if n, err := c.NextSize(); n != 0 || err != nil {
		t.Errorf("at the end: %d %v", n, err)
	}
}

// The kernel keeps the groups that the peer had when it connected.
func TestGroupsAreThoseOfThePeer(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can change its groups")
	}
	many := make([]int, 100) // more than are asked for at first
	for i := range many {
		many[i] = 50000 + i
	}
	before, err := unix.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	for _, groups := range [][]int{nil, {7, 9}, many} {
		if err := unix.Setgroups(groups); err != nil {
			t.Fatal(err)
		}
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if back := unix.Setgroups(before); back != nil {
			t.Fatal(back)
		}
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(pair[1])
		c, err := New(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		got, err := c.PeerGroups()
		if err != nil || len(got) != len(groups) {
			t.Fatalf("%v %v, want %v", got, err, groups)
		}
		for i, g := range groups {
			if int(got[i]) != g {
				t.Errorf("%v, want %v", got, groups)
				break
			}
		}
	}
}
