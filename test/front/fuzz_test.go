package front_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// encode returns the packet of a message.
func encode(t testing.TB, m wire.Message) []byte {
	t.Helper()
	p, err := wire.Encode(m)
	must(t, err)
	return p
}

// mutate changes a packet at random.
func mutate(r *rand.Rand, p []byte) []byte {
	p = bytes.Clone(p)
	for range 1 + r.IntN(3) {
		switch at := r.IntN(len(p) + 1); r.IntN(4) {
		case 0:
			p = p[:at]
		case 1:
			p = slices.Insert(p, at, byte(r.Uint32()))
		case 2:
			if at < len(p) {
				p[at] = byte(r.Uint32())
			}
		case 3:
			if at+4 <= len(p) {
				binary.LittleEndian.PutUint32(p[at:], []uint32{0, 1, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff, uint32(len(p))}[r.IntN(7)])
			}
		}
	}
	return p
}

// descriptors returns between 0 and 3 descriptors, as the bits of which choose: the socket that is
// given, terminals, pipes and files. Nobody has the other ends, so that none makes a reader wait.
func descriptors(t testing.TB, which uint8, socket int) []int {
	t.Helper()
	var all []int
	for range which & 3 {
		which >>= 2
		switch which & 3 {
		case 0:
			all = append(all, socket)
		case 1:
			master, slave := rawTerminal(t)
			t.Cleanup(func() { _ = unix.Close(master) })
			_ = slave.Close()
			all = append(all, master)
		case 2:
			r, w := pipe(t)
			_ = w.Close()
			all = append(all, int(r.Fd()))
		case 3:
			all = append(all, int(open(t, "/dev/zero", os.O_RDONLY).Fd()))
		}
	}
	return all
}

// listener returns a socket that listens, as one for the ssh agent does.
func listener(t testing.TB) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	must(t, unix.Bind(fd, &unix.SockaddrUnix{})) // a name that the kernel chooses
	must(t, unix.Listen(fd, 1))
	return fd
}

// attacked is the program that foreign bytes are sent to.
type attacked struct {
	*front
	b     *broker
	user  *os.File     // of its terminal; nil without one
	modes unix.Termios // of the terminal before
}

// attack starts it, with the rights of another user where that is possible.
func attack(t *testing.T, onTerminal bool) (a attacked, p peer) {
	t.Helper()
	a.b = newBroker(t)
	socket := filepath.Join(a.b.dir, "ssh-agent")
	must(t, bind(socket))
	h := how{env: []string{"SSH_CONNECTION=x", "SSH_AUTH_SOCK=" + socket, "DISPLAY=localhost:10.0"}}
	if os.Geteuid() == 0 {
		h.uid = nobody
		must(t, os.Chown(socket, nobody, nobody))
	}
	if onTerminal {
		a.user, h.stdin = terminal(t)
		h.stdout = h.stdin
		a.modes = modesOf(t, a.user)
	}
	a.front = a.b.run(h)
	if a.in != nil {
		_ = a.in.Close()
	}
	p = a.b.accept()
	expect[*wire.Login](p)
	// It finds no other broker.
	_, _ = a.b.l.Close(), os.Remove(a.b.socket())
	return a, p
}

// mustEnd waits for the end of the program after these packets. It may end by any exit code, and
// by a signal that an Exit names.
func (a attacked) mustEnd(packets ...[]byte) {
	a.t.Helper()
	ws := a.wait()
	may := []unix.Signal{unix.SIGKILL, unix.SIGHUP}
	for _, p := range packets {
		if exit, ok := decode(p).(*wire.Exit); ok {
			_, sig := exitstatus.Split(exit.Status)
			may = append(may, sig)
		}
	}
	if ws.Signaled() && !slices.Contains(may, ws.Signal()) {
		a.t.Errorf("%s, stderr %q", describe(ws), a.stderrSoFar())
	}
	if text := a.errors.whole(a.t); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }) {
		a.t.Errorf("stderr can steer a terminal: %q", text)
	}
	if a.user != nil && modesOf(a.t, a.user) != a.modes {
		a.t.Error("the terminal is not restored")
	}
}

func decode(p []byte) wire.Message {
	m, err := wire.Decode(p)
	if err != nil {
		return nil
	}
	return m
}

// Answers of a broker and of an agent.
var (
	ofABroker = []wire.Message{
		&wire.Ready{Shell: "/bin/ash", Fallback: "/bin/sh", Cwd: "/srv", Accept: []string{"LC_*", "*"}, Notice: []string{"hello"}, Container: "alice", SSHAgent: true, X11: true},
		&wire.Ready{}, &wire.Progress{Text: "pulling"}, &wire.ReadFile{Dir: "/none"}, &wire.Error{Code: 3, Text: "no", Hint: "ask"},
		&wire.HostShell{Shell: "/none"}, &wire.Reason{Text: "removed"},
	}
	ofAnAgent = []wire.Message{
		&wire.Started{}, &wire.Started{Notice: "there is no /srv"}, &wire.Started{Terminal: true}, &wire.Started{Terminal: true, SSHAgent: true, X11: true},
		&wire.Started{Terminal: true, Piped: true},
		&wire.Started{SSHAgent: true}, &wire.Error{Code: 4, Text: "no \x1b", Hint: "ask"}, &wire.Exit{Status: 9, OutOfMemory: true},
	}
	hello = &wire.Hello{Version: wire.AgentVersion}
	exit  = &wire.Exit{Status: 7 << 8}
)

// attackAsBroker answers a login with two packets and their descriptors, and with an agent that
// answers as it should.
func attackAsBroker(t *testing.T, first, second []byte, some, more uint8, onTerminal bool) {
	for _, p := range [][]byte{first, second} {
		if m, ok := decode(p).(*wire.HostShell); ok && !strings.HasPrefix(m.Shell, "/none") || len(p) > 2*wire.MaxPacket {
			return // a program of the host
		}
	}
	a, broker := attack(t, onTerminal)
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(pair[0])
	c, err := channel.New(pair[1])
	must(t, err)
	agent := newPeer(t, c)
	agent.send(hello)
	if onTerminal {
		master, _ := rawTerminal(t)
		agent.send(&wire.Started{Terminal: true}, master)
		_ = unix.Close(master)
	} else {
		agent.send(&wire.Started{})
	}
	agent.send(exit)
	// The program may have ended before it has all of it.
	_ = broker.Socket.Send(first, descriptors(t, some, pair[0])...)
	_ = broker.Socket.Send(second, descriptors(t, more, pair[0])...)
	_, _ = broker.Close(), agent.Close()
	a.mustEnd(first, second)
}

// attackAsAgent answers as an agent with three packets, the second with descriptors.
func attackAsAgent(t *testing.T, hello, started, exit []byte, which uint8, onTerminal bool) {
	a, broker := attack(t, onTerminal)
	agent := broker.ready(&wire.Ready{Shell: "/bin/ash", SSHAgent: true, X11: true})
	broker.send(&wire.Reason{Text: "removed"})
	_ = agent.Socket.Send(hello)
	_ = agent.Socket.Send(started, descriptors(t, which, listener(t))...)
	_ = agent.Socket.Send(exit)
	_ = agent.Close()
	a.mustEnd(hello, started, exit)
}

// rounds is how many packets are made of each message.
const rounds = 8

// Whatever the answers, the program ends as it should, and the terminal is as before.
func TestAnswersThatAreNearlyRightDoNoHarm(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	anyOf := func(all []wire.Message) []byte { return encode(t, all[r.IntN(len(all))]) }
	flip := func() bool { return r.IntN(2) == 0 }
	for range rounds {
		for _, m := range ofABroker {
			attackAsBroker(t, mutate(r, encode(t, m)), anyOf(ofABroker), uint8(r.Uint32()), uint8(r.Uint32()), flip())
		}
		for _, m := range ofAnAgent {
			attackAsAgent(t, encode(t, hello), mutate(r, encode(t, m)), mutate(r, encode(t, exit)), uint8(r.Uint32()), flip())
		}
		attackAsAgent(t, mutate(r, encode(t, hello)), anyOf(ofAnAgent), encode(t, exit), uint8(r.Uint32()), flip())
	}
}

func FuzzAnswersOfABroker(f *testing.F) {
	program(f) // before the workers start
	for i, m := range ofABroker {
		f.Add(encode(f, m), encode(f, ofABroker[0]), uint8(m.FDs()), uint8(1), i%2 == 0)
	}
	f.Fuzz(attackAsBroker)
}

func FuzzAnswersOfAnAgent(f *testing.F) {
	program(f) // before the workers start
	const master, masterAndSocket, masterAndPipe, socket = 1 | 1<<2, 2 | 1<<2, 2 | 1<<2 | 2<<4, 1
	for i, m := range ofAnAgent {
		fds := []uint8{0, socket, masterAndSocket}[m.FDs()]
		if s, ok := m.(*wire.Started); ok && s.Piped {
			fds = masterAndPipe
		} else if ok && s.Terminal && !s.SSHAgent {
			fds = master
		}
		f.Add(encode(f, hello), encode(f, m), encode(f, exit), fds, i > 1)
	}
	f.Fuzz(attackAsAgent)
}
