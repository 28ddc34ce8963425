package broker

import (
	"bytes"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// ends reads until the broker has ended the connection; nothing but an error may
// come before that.
func (w *world) ends(what string, c channel.Conn) {
	w.Helper()
	for range 3 {
		m, fds, err := c.Recv()
		if len(fds) > 0 {
			w.Errorf("%s: got descriptors", what)
			seqpacket.CloseAll(fds)
		}
		if err != nil {
			if channel.TimedOut(err) {
				w.Errorf("%s: the connection goes on", what)
			}
			return
		}
		if m.Kind() != wire.KindError {
			w.Errorf("%s: got %#v", what, m)
		}
	}
}

func TestRequestOutsideTheTableEndsTheConnection(t *testing.T) {
	w := newWorld(t)
	for _, m := range []wire.Message{
		&wire.Why{}, &wire.Progress{}, &wire.HostShell{Shell: "/bin/sh"}, &wire.Error{}, &wire.Reason{}, &wire.Hello{},
		&wire.Start{Terminal: true}, &wire.Signal{Number: 9}, &wire.Exit{}, &wire.Count{}, &wire.Processes{}, &wire.Started{},
	} {
		c := w.dial()
		if err := c.Send(m); err != nil {
			t.Fatal(err)
		}
		w.ends(string('0'+rune(m.Kind())), c)
	}
	c := w.enters()
	if err := c.Send(&wire.Login{Version: wire.Version}); err != nil {
		t.Fatal(err)
	}
	w.ends("a second login", c)
	c = w.enters()
	for range 2 {
		_ = c.Send(&wire.Why{})
	}
	for n := 0; ; n++ {
		m, _, err := c.Recv()
		if err != nil || m.Kind() == wire.KindError {
			if n != 1 {
				t.Errorf("why was answered %d times", n)
			}
			break
		}
	}
	w.enters()
}

func TestDescriptorsSentToTheBrokerAreClosed(t *testing.T) {
	w := newWorld(t)
	w.enters()
	open := func() int {
		all, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	login, err := wire.Encode(&wire.Login{Version: wire.Version})
	if err != nil {
		t.Fatal(err)
	}
	before := open()
	for _, fds := range [][]int{{0}, {0, 1}, {0, 1, 2, 0}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}} {
		c := w.dial()
		if err := c.Socket.Send(login, fds...); err != nil {
			t.Fatal(err)
		}
		w.ends("descriptors", c)
		_ = c.Close()
	}
	for end := time.Now().Add(5 * time.Second); open() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d descriptors more", open()-before)
		}
	}
}

// The sender of a descriptor decides how long it takes to close.
func TestDescriptorsThatTakeLongToCloseDelayNobody(t *testing.T) {
	w := newWorld(t)
	w.enters()
	full, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close() // without an accept: nobody reads
	for _, n := range []int{1, 5, 253} {
		c, err := net.Dial("tcp", full.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		tcp := c.(*net.TCPConn)
		_ = tcp.SetLinger(30)
		_ = tcp.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		_, _ = tcp.Write(make([]byte, 32<<20)) // more than fits
		front := w.dial()
		rc, err := tcp.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := rc.Control(func(fd uintptr) {
			err = unix.Sendmsg(front.Fd(), []byte("x"), unix.UnixRights(slices.Repeat([]int{int(fd)}, n)...), nil, 0)
			// Not Close, which would wait itself.
			_ = seqpacket.CloseElsewhere(func() error { return unix.Dup3(front.Fd(), int(fd), unix.O_CLOEXEC) })
		}); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for err == nil { // it may be told why
			_, _, err = front.Recv()
		}
		w.enters()
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("with %d of them the next login took %v", n, took)
		}
	}
}

func TestTooLongPacketEndsTheConnection(t *testing.T) {
	w := newWorld(t)
	c := w.dial()
	if err := c.Socket.Send(make([]byte, wire.MaxPacket+1)); err != nil {
		t.Fatal(err)
	}
	w.ends("too long", c)
	w.enters()
}

func TestSilentConnectionsEndAndDelayNobody(t *testing.T) {
	w := newWorld(t)
	w.enters()
	var silent []channel.Conn
	for range 200 {
		silent = append(silent, w.dial())
	}
	start := time.Now()
	w.enters()
	if d := time.Since(start); d > answerLimit/2 {
		t.Errorf("a login took %v", d)
	}
	for _, c := range silent {
		w.ends("silent", c)
	}
}

// A login costs memory and time, and one user can send thousands.
func TestLoginsOfOneUserAreReadOneAfterTheOther(t *testing.T) {
	w := newWorld(t)
	coming := func(uid uint32, size int) *front {
		user, theirs := w.pair()
		if err := user.Send(&wire.Login{Version: wire.Version, UserFile: make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
		f := &front{Conn: channel.Conn{Socket: theirs}, uid: uid}
		f.Within(20 * time.Second)
		return f
	}
	first := coming(7, wire.MaxUserFile)
	if !w.broker.waitForTurn(first) {
		t.Fatal("the first is refused")
	}
	second, turn := coming(7, 100), make(chan bool, 1)
	go func() { turn <- w.broker.waitForTurn(second) }()
	other := coming(8, wire.MaxUserFile)
	if !w.broker.waitForTurn(other) {
		t.Error("a login of another user waits")
	}
	other.releaseTurn()
	select {
	case <-turn:
		t.Error("two logins of one user at once")
	case <-time.After(50 * time.Millisecond):
	}
	first.releaseTurn()
	first.releaseTurn() // counts once
	if !<-turn {
		t.Error("the second is refused")
	}
	second.releaseTurn()
}

// heap returns how much memory is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// What a front says is not kept while its login waits for a container.
func TestWaitingLoginKeepsLittle(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nenableuserconfig\nenableusershell\n")
	w.enters() // looks into the image, too
	w.stop()
	began, release := w.engine.Hold("Start")
	defer release()
	const n = 200
	file := append([]byte("[dockersh]\nshell = /bin/sh\n"), bytes.Repeat([]byte("#\n"), 2000)...)
	wait := func() {
		c := w.dial()
		if err := c.Send(&wire.Login{Version: wire.Version, UserFile: file, AuthInfo: make([]byte, wire.MaxAuthInfo), Words: make([]byte, wire.MaxWords)}); err != nil {
			t.Fatal(err)
		}
	}
	wait()
	<-began
	before := heap()
	for range n {
		wait()
	}
	w.eventually("all wait", func() bool {
		_, waiting := w.broker.sessions.In(w.name())
		return waiting == n+1
	})
	// What reading a login took may still be on a stack for a moment.
	w.eventually("each login that waits keeps at most 32 KiB", func() bool {
		return (int64(heap())-int64(before))/n <= 32<<10
	})
}

func TestSessionKeepsLittle(t *testing.T) {
	w := newWorld(t)
	w.enters()
	const n = 200
	before := heap()
	for range n {
		w.enters()
	}
	// Both ends of the connections are in this process, and those of the agent.
	w.eventually("each session keeps at most 16 KiB", func() bool {
		return (int64(heap())-int64(before))/n <= 16<<10
	})
}

// A process of the container that reaches the start socket first must not be taken for
// the agent, nor keep the agent away.
func TestOtherCallerAtTheStartSocketIsNotTheAgent(t *testing.T) {
	w := newWorld(t)
	w.mute.Store(w.name(), true)
	done := make(chan struct{})
	go func() { defer close(done); w.enters() }()
	start := w.broker.state.Container(w.name()).StartSocket()
	var c channel.Conn
	for end := time.Now().Add(10 * time.Second); c.Socket == nil; time.Sleep(time.Millisecond) {
		if raw, err := seqpacket.Dial(start); err == nil {
			c = channel.Conn{Socket: raw}
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	defer c.Close()
	c.Within(5 * time.Second)
	if err := c.Send(&wire.Hello{Version: wire.AgentVersion + 1}); err != nil {
		t.Fatal(err)
	}
	if m, _, err := c.Recv(); err == nil {
		t.Errorf("another caller got %#v", m)
	}
	spec, _ := w.engine.Spec(w.name())
	go w.agent(spec)
	<-done
}

// A crowd at the start socket neither takes the broker's descriptors nor keeps the
// agent away.
func TestCrowdAtTheStartSocketIsNotLetIn(t *testing.T) {
	w := newWorld(t)
	w.mute.Store(w.name(), true)
	done := make(chan struct{})
	go func() { defer close(done); w.enters() }()
	start := w.broker.state.Container(w.name()).StartSocket()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(start); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no agent is awaited")
		}
	}
	// For less time than a caller has for its hello, so that no place is free again: sixteen are
	// listened to, and about as many wait in the socket's queue.
	crowd := 0
	for end := time.Now().Add(time.Second); crowd < 60 && time.Now().Before(end); {
		c, err := seqpacket.Dial(start)
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		defer c.Close()
		crowd++
	}
	if crowd >= 60 {
		t.Errorf("%d other callers came in", crowd)
	}
	spec, _ := w.engine.Spec(w.name())
	go w.agent(spec)
	<-done
}

// Whatever a front sends, it gets an error, a session of its own, or the end;
// and the broker serves the next one.
func FuzzFirstPacket(f *testing.F) {
	for _, m := range []wire.Message{&wire.Login{Version: wire.Version, UserFile: []byte("[dockersh]")}, &wire.Why{}, &wire.Start{Argv: []string{"x"}},
		&wire.Join{Version: wire.Version, User: "root", AuthInfo: []byte("publickey a b\n")}} {
		p, err := wire.Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) == 0 || len(p) > wire.MaxPacket {
			return
		}
		w := newWorld(t)
		c := w.dial()
		if err := c.Socket.Send(p); err != nil {
			t.Fatal(err)
		}
		for {
			m, fds, err := c.Recv()
			seqpacket.CloseAll(fds)
			if err != nil {
				if channel.TimedOut(err) {
					t.Fatal("neither answer nor end")
				}
				break
			}
			if k := m.Kind(); k == wire.KindReady || k == wire.KindError || k == wire.KindJoined {
				break
			}
		}
		w.enters()
	})
}
