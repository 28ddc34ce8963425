package bridge

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestBridgeDoesNotOutliveItsFrontForLong(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	const limit = 100 * time.Millisecond
	want := errors.New("of the session")
	slow := func() error { time.Sleep(2 * limit); return want }
	if err := endWith(pair[0], limit, slow); !errors.Is(err, want) {
		t.Errorf("with its front: %v", err)
	}
	stuck := make(chan error)
	defer close(stuck)
	go func() { time.Sleep(limit); _ = unix.Close(pair[1]) }()
	start := time.Now()
	if err := endWith(pair[0], limit, func() error { return <-stuck }); !errors.Is(err, errOvertime) || time.Since(start) < 2*limit {
		t.Errorf("without: %v after %v", err, time.Since(start))
	}
	if err := endWith(pair[0], time.Minute, slow); !errors.Is(err, want) {
		t.Errorf("that hangs up its session: %v", err)
	}
	_ = unix.Close(pair[0])
}

func TestWaitForTheFrontDoesNotKeepItsConnectionOpen(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	_ = endWith(pair[0], time.Minute, func() error { time.Sleep(50 * time.Millisecond); return unix.Close(pair[0]) })
	_ = unix.SetsockoptTimeval(pair[1], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 10})
	if n, _, err := unix.Recvfrom(pair[1], make([]byte, 1), 0); n != 0 || err != nil {
		t.Errorf("the front reads %d, %v", n, err)
	}
}
