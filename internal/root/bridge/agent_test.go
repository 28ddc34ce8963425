package bridge

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// newAgent returns a session of an agent, and the agent's end of its connection.
func newAgent(t *testing.T) (*agentSession, channel.Conn) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newAgentSession(pair[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := channel.New(pair[1])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.conn.Close(); _ = c.Close() })
	c.Within(10 * time.Second)
	return a, c
}

// screen is what the front was sent.
type screen struct {
	sync.Mutex
	text strings.Builder
}

func (s *screen) Write(p []byte) (int, error) {
	s.Lock()
	defer s.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.Lock()
	defer s.Unlock()
	return s.text.String()
}

var startOnTerminal = &wire.Start{Terminal: true, Rows: 24, Cols: 80, Path: "/bin/sh", Argv: []string{"sh"}}

// onATerminal starts a session with a terminal whose program is the test.
func onATerminal(t *testing.T) (a *agentSession, c channel.Conn, slave int, out *screen) {
	t.Helper()
	a, c = newAgent(t)
	master, slave, err := tty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { seqpacket.CloseAll([]int{slave}) })
	go func() {
		_, _, _ = c.Recv()
		_ = c.Send(&wire.Started{Terminal: true, Notice: "well"}, master)
		_ = unix.Close(master)
	}()
	out = &screen{}
	if s, err := a.start(context.Background(), startOnTerminal, out, nil); s.Notice != "well" || err != nil {
		t.Fatalf("%+v, %v", s, err)
	}
	return a, c, slave, out
}

func TestLastOutputBeforeTheExitIsShown(t *testing.T) {
	for _, exit := range []*wire.Exit{{Status: 7 << 8}, {Status: 9, OutOfMemory: true}, nil} {
		a, c, slave, out := onATerminal(t)
		if err := a.resize(context.Background(), 33, 77); err != nil {
			t.Fatal(err)
		}
		if rows, cols, err := tty.Size(slave); rows != 33 || cols != 77 || err != nil {
			t.Errorf("%d %d %v", rows, cols, err)
		}
		if _, err := a.Write([]byte("typed\n")); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 100)
		if n, err := unix.Read(slave, buf); string(buf[:max(n, 0)]) != "typed\n" || err != nil {
			t.Errorf("%q, %v", buf[:max(n, 0)], err)
		}
		if _, err := unix.Write(slave, []byte("last words")); err != nil {
			t.Fatal(err)
		}
		if exit != nil {
			if err := c.Send(exit); err != nil {
				t.Fatal(err)
			}
		} else {
			_ = c.Close()
		}
		got, err := a.wait(context.Background())
		if err != nil || (got == nil) != (exit == nil) || got != nil && *got != *exit {
			t.Errorf("%+v, %v, want %+v", got, err, exit)
		}
		if !strings.HasSuffix(out.String(), "last words") {
			t.Errorf("the front was shown %q", out.String())
		}
	}
}

func TestAgentLearnsThatTheFrontIsGone(t *testing.T) {
	a, c, _, _ := onATerminal(t)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if exit, err := a.wait(ctx); exit != nil || err != nil {
		t.Errorf("%+v, %v", exit, err)
	}
	if m, _, err := c.Recv(); err == nil {
		t.Errorf("instead of the end: %+v", m)
	}
}

func TestRecordedSessionMustHaveATerminal(t *testing.T) {
	a, _ := newAgent(t)
	for _, task := range []*wire.Bridge{{Agent: true}, {Record: true}, {Agent: true, Record: true}} {
		s := &session{task: task, upstream: a, log: slog.New(slog.DiscardHandler)}
		var refused *usererr.Error
		if err := s.startProgram(&wire.Start{Path: "/bin/sh", Argv: []string{"sh"}}, nil); !errors.As(err, &refused) || refused.Code != usererr.Protocol {
			t.Errorf("%+v: %v", task, err)
		}
	}
}

// stuck is an agent that does not let go of a caller: it has the other end of the
// terminal, and may make it block.
type stuck struct {
	upstream
	hung chan struct{}
}

func (s stuck) wait(context.Context) (*wire.Exit, error) { <-s.hung; select {} }
func (s stuck) CloseWrite() error                        { return nil }
func (s stuck) hangUp()                                  { close(s.hung) }

func TestBridgeEndsWithItsFrontWhateverTheAgentDoes(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	front, err := channel.New(pair[0])
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	s := &session{front: front, upstream: stuck{hung: make(chan struct{})}, start: &wire.Start{}, in: int(null.Fd()), log: slog.New(slog.DiscardHandler)}
	over := make(chan struct{})
	go func() { s.carry(); close(over) }()
	_ = unix.Close(pair[1])
	select {
	case <-over:
	case <-time.After(10 * time.Second):
		t.Fatal("the bridge waits for the agent")
	}
}
