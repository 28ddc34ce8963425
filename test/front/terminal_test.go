package front_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// modesOf returns the modes of a terminal.
func modesOf(t testing.TB, file *os.File) (m unix.Termios) {
	t.Helper()
	control(t, file, func(fd int) error {
		got, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err == nil {
			m = *got
		}
		return err
	})
	return m
}

func setModes(t testing.TB, file *os.File, m unix.Termios) {
	t.Helper()
	control(t, file, func(fd int) error { return unix.IoctlSetTermios(fd, unix.TCSETS, &m) })
}

// control calls do with the descriptor of a file, which stays non-blocking.
func control(t testing.TB, file *os.File, do func(fd int) error) {
	t.Helper()
	raw, err := file.SyscallConn()
	must(t, err)
	var derr error
	must(t, raw.Control(func(fd uintptr) { derr = do(int(fd)) }))
	must(t, derr)
}

func size(t testing.TB, file *os.File) (got [2]uint16) {
	t.Helper()
	control(t, file, func(fd int) (err error) {
		got[0], got[1], err = tty.Size(fd)
		return err
	})
	return got
}

func setSize(t testing.TB, file *os.File, rows, cols uint16) {
	t.Helper()
	control(t, file, func(fd int) error { return tty.SetSize(fd, rows, cols) })
}

// odd are modes that no program sets by itself.
func odd(m unix.Termios) unix.Termios {
	m.Iflag |= unix.ISTRIP | unix.INLCR | unix.IXANY
	m.Cc[unix.VINTR], m.Cc[unix.VMIN], m.Cc[unix.VTIME] = 7, 3, 5
	m.Cflag = m.Cflag&^unix.CSIZE | unix.CS7 | unix.PARENB
	return m
}

// raw are those modes in raw mode.
func raw(m unix.Termios) unix.Termios {
	m.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	m.Oflag &^= unix.OPOST
	m.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	m.Cflag = m.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	m.Cc[unix.VMIN], m.Cc[unix.VTIME] = 1, 0
	return m
}

// onTerminal returns a session that runs on a terminal, whose user has the other end. If that is
// not the controlling one, it sends no signals to the program.
func onTerminal(t *testing.T, controlling bool) (s *session, user *os.File) {
	t.Helper()
	user, slave := terminal(t)
	setSize(t, user, 24, 80)
	h := how{stdin: slave, stdout: slave}
	if controlling {
		h = how{terminal: slave}
	}
	s = begin(t, h, &wire.Ready{})
	_ = slave.Close()
	if !s.start.Terminal {
		t.Fatal("it has no terminal")
	}
	s.started(&wire.Started{})
	before := modesOf(t, user)
	until(t, "the terminal is raw", func() bool { return modesOf(t, user) == raw(before) })
	return s, user
}

func TestTerminalIsDescribedAndPutIntoRawMode(t *testing.T) {
	t.Parallel()
	user, slave := terminal(t)
	before := modesOf(t, user)
	for _, want := range []unix.Termios{before, odd(before)} {
		setModes(t, user, want)
		want = modesOf(t, user) // as far as the kernel takes it
		setSize(t, user, 31, 107)
		s := begin(t, how{stdin: slave, stdout: slave}, &wire.Ready{})
		bytes := unsafe.Slice((*byte)(unsafe.Pointer(&want)), unsafe.Sizeof(want))
		if !s.login.Terminal || !s.start.Terminal || s.start.Rows != 31 || s.start.Cols != 107 || !slices.Equal(s.start.Termios, bytes) {
			t.Errorf("%+v, %+v", s.login, s.start)
		}
		if got := modesOf(t, user); got != want {
			t.Errorf("before the session runs, the modes are %+v", got)
		}
		s.started(&wire.Started{Notice: "a notice"})
		until(t, "the terminal is raw", func() bool { return modesOf(t, user) == raw(want) })
		s.ends(&wire.Exit{Status: 7 << 8})
		s.exits(7)
		if got := modesOf(t, user); got != want {
			t.Errorf("afterwards the modes are %+v, and were %+v", got, want)
		}
		if got := s.errors.whole(t); got != "dockersh: a notice\n" {
			t.Errorf("%q", got)
		}
	}
}

func TestTerminalWithoutASizeHasNone(t *testing.T) {
	t.Parallel()
	_, slave := terminal(t)
	s := begin(t, how{terminal: slave}, &wire.Ready{})
	if s.start.Rows != 0 || s.start.Cols != 0 {
		t.Errorf("%+v", s.start)
	}
	s.finish()
}

func TestTerminalIsRestoredHoweverTheSessionEnds(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(s *session){
		"its end":  func(s *session) { s.ends(&wire.Exit{}); s.exits(0) },
		"a signal": func(s *session) { s.ends(&wire.Exit{Status: uint32(unix.SIGSEGV)}); s.diesBy(unix.SIGSEGV) },
		"a lost agent": func(s *session) {
			_ = s.agent.Close()
			expect[*wire.Why](s.broker)
			s.broker.send(&wire.Reason{Text: "gone"})
			s.diesBy(unix.SIGKILL)
		},
		"SIGTERM": killed(unix.SIGTERM), "SIGHUP": killed(unix.SIGHUP), "SIGINT": killed(unix.SIGINT), "SIGQUIT": killed(unix.SIGQUIT),
		"SIGUSR1": killed(unix.SIGUSR1), "SIGUSR2": killed(unix.SIGUSR2),
	} {
		user, slave := terminal(t)
		before := modesOf(t, user)
		s := begin(t, how{terminal: slave}, &wire.Ready{})
		s.started(&wire.Started{})
		until(t, "the terminal is raw", func() bool { return modesOf(t, user) == raw(before) })
		end(s)
		if got := modesOf(t, user); got != before {
			t.Errorf("%s: the modes are %+v", what, got)
		}
	}
}

// killed ends a session by a signal to the program, which keeps that from the session.
func killed(sig unix.Signal) func(s *session) {
	return func(s *session) {
		s.t.Helper()
		s.signal(sig)
		if e := expect[*wire.Ended](s.broker); e.Status != uint32(sig) {
			s.t.Errorf("%#x", e.Status)
		}
		s.agent.expectEnd()
		s.diesBy(sig)
	}
}

func TestOutputOfABridgeComesByAPipe(t *testing.T) {
	t.Parallel()
	user, slave := terminal(t)
	shown := collect(user)
	before := modesOf(t, user)
	s := begin(t, how{terminal: slave}, &wire.Ready{})
	_ = slave.Close()
	r, w := pipe(t)
	s.started(&wire.Started{Piped: true}, int(r.Fd()))
	until(t, "the terminal is raw", func() bool { return modesOf(t, user) == raw(before) })
	_, err := user.WriteString("key")
	must(t, err)
	got := make([]byte, 3)
	if _, err := io.ReadFull(s.pty, got); err != nil || string(got) != "key" {
		t.Errorf("%q, %v", got, err)
	}
	setSize(t, user, 31, 107)
	until(t, "the size is passed on", func() bool {
		rows, cols, err := tty.Size(int(s.pty.Fd()))
		return rows == 31 && cols == 107 && err == nil
	})
	// The pipe does not end with the session: a process that was left behind may have it.
	all := strings.Repeat("0123456789abcdef", 4<<10)
	_, err = w.WriteString(all)
	must(t, err)
	s.ends(&wire.Exit{Status: 7 << 8})
	s.exits(7)
	until(t, "all of the output is shown", func() bool { return shown.soFar() == all })
}

func TestKeysAreBytesForTheSession(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, true)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	_, err := user.Write(all)
	must(t, err)
	got := make([]byte, len(all))
	if _, err := io.ReadFull(s.pty, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("%q, %v", got, err)
	}
	_, err = s.pty.Write(all)
	must(t, err)
	if _, err := io.ReadFull(user, got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("%q, %v", got, err)
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

// flow writes data to one end of a terminal and compares what comes out of the other.
func flow(t *testing.T, what string, from, to *os.File, data []byte, sum [32]byte) (done chan struct{}) {
	done = make(chan struct{})
	go func() {
		if n, err := from.Write(data); err != nil {
			t.Errorf("%s: %d bytes written, %v", what, n, err)
		}
	}()
	go func() {
		defer close(done)
		got := make([]byte, len(data))
		if n, err := io.ReadFull(to, got); err != nil || sha256.Sum256(got) != sum {
			t.Errorf("%s: %d bytes, %v", what, n, err)
		}
	}()
	return done
}

func TestFloodBothWaysIsWhole(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, true)
	data, sum := bulk(4 << 20)
	typed, typedSum := bulk(1 << 20)
	out, in := flow(t, "output", s.pty, user, data, sum), flow(t, "input", user, s.pty, typed, typedSum)
	<-out
	<-in
	s.idles()
	s.ends(&wire.Exit{})
	s.exits(0)
}

func TestKeysThatAreNotReadHoldUpNoOutput(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, true)
	_ = user.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := user.Write(make([]byte, 1<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d keys, %v", n, err)
	}
	data, sum := bulk(300 << 10)
	<-flow(t, "output", s.pty, user, data, sum)
	setSize(t, user, 70, 80)
	until(t, "the size is passed on", func() bool { return size(t, s.pty) == [2]uint16{70, 80} })
	s.ends(&wire.Exit{Status: 9 << 8})
	s.exits(9)
}

// fillScreen lets the session write until nothing fits into the terminals and the program any more,
// since the user reads nothing. It returns how many bytes of this line, repeated, those are.
func (s *session) fillScreen(line string) (written int) {
	s.t.Helper()
	_ = s.pty.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
	for {
		n, err := s.pty.WriteString(line[written%len(line):])
		written += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return written
		}
		must(s.t, err)
	}
}

func TestOutputThatIsNotReadHoldsUpNoKeys(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, true)
	s.fillScreen("x")
	_, err := user.WriteString("\x03")
	must(t, err)
	if got := readText(t, s.pty); got != "\x03" {
		t.Errorf("%q", got)
	}
	setSize(t, user, 70, 80)
	until(t, "the size is passed on", func() bool { return size(t, s.pty) == [2]uint16{70, 80} })
	killed(unix.SIGTERM)(s)
}

// All that fits is on its way when the session ends.
func TestOutputThatTheUserHasNotReadIsNotLost(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, true)
	line := strings.Repeat("0123456789abcdef", 64)
	written := s.fillScreen(line)
	s.closeStdio()
	s.agent.send(&wire.Exit{Status: 5 << 8})
	got := 0
	for {
		text := make([]byte, 64<<10)
		n, err := user.Read(text)
		if err != nil {
			break // EIO: the program has ended
		}
		for _, c := range text[:n] {
			if c != line[got%len(line)] {
				t.Fatalf("byte %d is %q", got, c)
			}
			got++
		}
	}
	if got != written {
		t.Errorf("%d of %d bytes", got, written)
	}
	s.exits(5)
}

func TestProcessesThatAreLeftOnTheTerminalDoNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, true)
	screen := collect(user)
	stop := make(chan struct{})
	writer := make(chan struct{})
	go func() {
		defer close(writer)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := s.pty.WriteString(strings.Repeat("x", 500)); err != nil {
				return
			}
		}
	}()
	until(t, "something is shown", func() bool { return screen.soFar() != "" })
	s.agent.send(&wire.Exit{Status: 5 << 8})
	s.exits(5)
	close(stop)
	<-writer
}

func TestSizeOfTheTerminalIsPassedOn(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, true)
	for i := range uint16(20) {
		setSize(t, user, 10+i, 100+i) // SIGWINCH alone
		until(t, "the size is passed on", func() bool { return size(t, s.pty) == [2]uint16{10 + i, 100 + i} })
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

// The program waits differently for a moment after much output.
func TestSizeIsPassedOnAfterMuchOutput(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, true)
	much := strings.Repeat("0123456789abcdef", 256)
	for i := range uint16(200) {
		_, err := s.pty.WriteString(much)
		must(t, err)
		_, err = io.ReadFull(user, make([]byte, len(much)))
		must(t, err)
		setSize(t, user, 10+i, 100+i)
		until(t, "the size is passed on", func() bool { return size(t, s.pty) == [2]uint16{10 + i, 100 + i} })
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

// Without SIGWINCH: what sshd did before it wrote a key counts.
func TestKeyMeetsTheNewSize(t *testing.T) {
	t.Parallel()
	s, user := onTerminal(t, false)
	for i := range uint16(50) {
		setSize(t, user, 10+i, 100+i)
		_, err := user.WriteString("k")
		must(t, err)
		if key := readText(t, s.pty); key != "k" || size(t, s.pty) != [2]uint16{10 + i, 100 + i} {
			t.Fatalf("%q at the size %v", key, size(t, s.pty))
		}
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

// The size may change while the agent starts the session.
func TestSizeFromBeforeTheStartedIsNotForgotten(t *testing.T) {
	t.Parallel()
	user, slave := terminal(t)
	s := begin(t, how{stdin: slave, stdout: slave}, &wire.Ready{})
	setSize(t, user, 55, 66)
	s.started(&wire.Started{})
	until(t, "the size is passed on", func() bool { return size(t, s.pty) == [2]uint16{55, 66} })
	s.ends(&wire.Exit{})
	s.exits(0)
}

func TestSessionEndsWithItsTerminal(t *testing.T) {
	t.Parallel()
	for _, controlling := range []bool{true, false} { // with SIGHUP, and without
		s, user := onTerminal(t, controlling)
		_ = user.Close()
		if e := expect[*wire.Ended](s.broker); e.Status != uint32(unix.SIGHUP) {
			t.Errorf("%#x", e.Status)
		}
		s.agent.expectEnd()
		s.diesBy(unix.SIGHUP)
	}
}

// A session's terminal may end before its program does.
func TestEndOfTheSessionsTerminalIsNotItsEnd(t *testing.T) {
	t.Parallel()
	s, _ := onTerminal(t, true)
	s.closeStdio()
	s.idles()
	s.ends(&wire.Exit{Status: 9 << 8})
	s.exits(9)
}

// Nobody can read what is typed then. The kernel keeps some of it, and reports the master as ready
// for ever.
func TestKeysAfterTheEndOfTheSessionsTerminalChangeNothing(t *testing.T) {
	t.Parallel()
	for _, controlling := range []bool{true, false} {
		s, user := onTerminal(t, controlling)
		s.closeStdio()
		_, err := user.Write(make([]byte, 64<<10))
		must(t, err)
		s.idles()
		s.ends(&wire.Exit{Status: 9 << 8})
		s.exits(9)
	}
}

// The container has the open file of the master too, and may make it block at any moment.
func TestProgramThatTheContainerBlocksCanBeEnded(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]struct {
		by  unix.Signal
		end func(s *session, user *os.File)
	}{
		"a signal": {unix.SIGTERM, func(s *session, _ *os.File) { s.signal(unix.SIGTERM) }},
		"a hangup": {unix.SIGHUP, func(_ *session, user *os.File) { _ = user.Close() }},
	} {
		user, slave := terminal(t)
		before := modesOf(t, user)
		s := begin(t, how{terminal: slave}, &wire.Ready{})
		_ = slave.Close()
		master, pty := rawTerminal(t)
		defer unix.Close(master)
		s.pty = pty
		s.agent.send(&wire.Started{Terminal: true}, master)
		until(t, "the terminal is raw", func() bool { return modesOf(t, user) == raw(before) })
		must(t, unix.SetNonblock(master, false))
		_, err := s.pty.WriteString("x")
		must(t, err)
		until(t, "it waits for more in read(2)", func() bool { return s.calls() == unix.SYS_READ })
		end.end(s, user)
		if e := expect[*wire.Ended](s.broker); e.Status != uint32(end.by) {
			t.Errorf("%s: %#x", what, e.Status)
		}
		s.diesBy(end.by)
	}
}

// calls returns the number of the system call in which the program is, -1 for none.
func (s *session) calls() int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/syscall", s.pid))
	must(s.t, err)
	n, err := strconv.Atoi(strings.Fields(string(text))[0])
	if err != nil { // "running"
		return -1
	}
	return n
}

func TestTerminalOfAnotherUserServes(t *testing.T) {
	t.Parallel()
	needRoot(t)
	user, slave := terminal(t) // of root: the program cannot open it again (su)
	before := modesOf(t, user)
	s := begin(t, how{terminal: slave, uid: nobody}, &wire.Ready{})
	_ = slave.Close()
	s.started(&wire.Started{})
	until(t, "the terminal is raw", func() bool { return modesOf(t, user) == raw(before) })
	data, sum := bulk(300 << 10)
	out, in := flow(t, "output", s.pty, user, data, sum), flow(t, "input", user, s.pty, data, sum)
	<-out
	<-in
	s.idles()
	s.ends(&wire.Exit{Status: 2 << 8})
	s.exits(2)
}

// The open file is shared with whoever started the program.
func TestOpenFileOfTheTerminalStaysBlocking(t *testing.T) {
	t.Parallel()
	user, slave := terminal(t)
	before := modesOf(t, user)
	s := begin(t, how{stdin: slave, stdout: slave}, &wire.Ready{})
	s.started(&wire.Started{})
	until(t, "the terminal is raw", func() bool { return modesOf(t, user) == raw(before) })
	if flags := sysFlags(t, int(slave.Fd())); flags&unix.O_NONBLOCK != 0 {
		t.Errorf("its flags are %#x", flags)
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}

func TestOneTerminalOfTwoIsNone(t *testing.T) {
	t.Parallel()
	_, slave := terminal(t)
	for _, h := range []how{{stdin: slave}, {stdout: slave}, {stderr: slave}} {
		if login, start := asked(t, h, &wire.Ready{}); login.Terminal || start.Terminal {
			t.Errorf("%+v", start)
		}
	}
}

// The terminal goes while the login waits for the broker or the agent.
func TestTerminalMayGoDuringTheLogin(t *testing.T) {
	t.Parallel()
	user, slave := terminal(t)
	s := begin(t, how{stdin: slave, stdout: slave}, &wire.Ready{})
	_ = user.Close()
	until(t, "the terminal has gone", func() bool { return !tty.Is(int(slave.Fd())) }) // no other test copies its descriptors just now
	master, pty := rawTerminal(t)
	defer unix.Close(master)
	s.pty = pty
	s.agent.send(&wire.Started{Terminal: true}, master)
	s.agent.expectEnd()
	s.refuses("dockersh: error: the terminal is gone: input/output error\n")
}
