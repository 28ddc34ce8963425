package front

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/agentclient"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// flooded returns a session whose program writes size bytes to its terminal and ends, and the
// end of the user's terminal that shows them.
func flooded(t *testing.T, size int) (*session, int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := agentclient.New(pair[0])
	if err != nil {
		t.Fatal(err)
	}
	agent, err := channel.New(pair[1])
	if err != nil {
		t.Fatal(err)
	}
	ours, slave := rawTerminal(t)
	shown, users := rawTerminal(t)
	t.Cleanup(func() {
		_, _ = conn.Close(), agent.Close()
		_ = unix.Close(ours)
		_ = unix.Close(shown)
		_ = unix.Close(users)
	})
	go func() {
		line := make([]byte, 80)
		for sent := 0; sent < size; {
			n, err := sys.Write(slave, line[:min(len(line), size-sent)])
			if err != nil {
				break
			}
			sent += n
		}
		_ = unix.Close(slave)
		_ = agent.Send(&wire.Exit{})
	}()
	return &session{
		agent: conn, master: -1, parent: -1, sshAgent: sshAgent{listener: -1}, handlesSignals: true,
		relays: []*relay{{from: ours, to: users}},
	}, shown
}

// rawTerminal returns the ends of a terminal that changes nothing.
func rawTerminal(t *testing.T) (master, slave int) {
	t.Helper()
	master, slave, err := tty.Open()
	if err != nil {
		t.Fatal(err)
	}
	modes, err := tty.Get(slave)
	if err == nil {
		err = modes.Raw(slave)
	}
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

func TestFloodOfATerminalIsWholeAndAllocatesNothing(t *testing.T) {
	const size = 8 << 20
	s, shown := flooded(t, size)
	got := make(chan int)
	go func() {
		total := 0
		buf := make([]byte, 64<<10)
		for total < size {
			if _, err := sys.Poll([]unix.PollFd{{Fd: int32(shown), Events: unix.POLLIN}}, -1); err != nil {
				break
			}
			n, _ := sys.ReadAvailable(shown, buf)
			total += n
		}
		got <- total
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	exit, why := s.copyUntilEnd()
	runtime.ReadMemStats(&after)
	if exit == nil || why != ended {
		t.Errorf("%v, %v", exit, why)
	}
	if total := <-got; total != size {
		t.Errorf("%d of %d bytes", total, size)
	}
	// The buffer, the reader here, and what the runtime does by itself.
	if n := after.Mallocs - before.Mallocs; n > 100 {
		t.Errorf("%d allocations", n)
	}
}
