package front_test

import (
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// startPlain starts the program up to its Start, and returns the descriptors as they came.
func startPlain(t *testing.T, h how) (s *session, fds []int) {
	t.Helper()
	b := newBroker(t)
	s = &session{front: b.run(h), broker: b.accept()}
	expect[*wire.Login](s.broker)
	s.agent = s.broker.ready(&wire.Ready{Shell: "/bin/ash"})
	s.start, fds = s.agent.greet(wire.AgentVersion)
	if len(fds) != 3 {
		t.Fatalf("%d descriptors", len(fds))
	}
	return s, fds
}

// identity returns what distinguishes an open file from others.
func identity(t *testing.T, fd int) [2]uint64 {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Fstat(fd, &st))
	return [2]uint64{st.Dev, st.Ino}
}

// socketpair returns connected sockets, which the test closes at its end.
func socketpair(t *testing.T, kind int) (ours, theirs *os.File) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	theirs = os.NewFile(uintptr(pair[1]), "socket") // blocks
	t.Cleanup(func() { _ = theirs.Close() })
	return asFile(t, pair[0]), theirs
}

func TestPipesAndSocketsThemselvesAreHandedOver(t *testing.T) {
	t.Parallel()
	r, w := pipe(t)
	_, socket := socketpair(t, unix.SOCK_STREAM)
	_, other := socketpair(t, unix.SOCK_STREAM)
	for what, c := range map[string][3]*os.File{
		"pipes": {r, w, w}, "sockets": {socket, socket, other}, "both": {socket, w, other}, "ends of a pipe the wrong way": {w, r, r},
	} {
		s, fds := startPlain(t, how{stdin: c[0], stdout: c[1], stderr: c[2]})
		for i := range fds {
			if !sys.Passable(fds[i]) || identity(t, fds[i]) != identity(t, int(c[i].Fd())) {
				t.Errorf("%s: descriptor %d is another one", what, i)
			}
			if sysFlags(t, fds[i]) != sysFlags(t, int(c[i].Fd())) {
				t.Errorf("%s: descriptor %d has other flags", what, i)
			}
		}
		closeAll(fds)
		s.finish()
	}
}

func sysFlags(t *testing.T, fd int) int {
	t.Helper()
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	must(t, err)
	return flags
}

func TestAnythingElseIsNotHandedOver(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	fifo := filepath.Join(dir, "fifo")
	must(t, unix.Mkfifo(fifo, 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer c.Close()
	tcp, err := c.(*net.TCPConn).File()
	must(t, err)
	defer tcp.Close()
	_, packets := socketpair(t, unix.SOCK_SEQPACKET)
	_, datagrams := socketpair(t, unix.SOCK_DGRAM)
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	unconnected := os.NewFile(uintptr(fd), "socket")
	defer unconnected.Close()
	_, slave := terminal(t)
	for what, file := range map[string]*os.File{
		"a file": open(t, filepath.Join(dir, "file"), os.O_RDWR|os.O_CREATE), "a device": open(t, "/dev/null", os.O_RDWR), "a directory": open(t, dir, os.O_RDONLY),
		"a FIFO with a name": open(t, fifo, os.O_RDWR), "a socket of the network": tcp, "a socket of packets": packets, "a socket of datagrams": datagrams,
		"a socket that is not connected": unconnected, "a terminal": slave, "a file without rights": open(t, dir, unix.O_PATH),
	} {
		h := how{stdin: file, stdout: file, stderr: file}
		if what == "a terminal" {
			h.stdout = open(t, "/dev/null", os.O_WRONLY)
		}
		s, fds := startPlain(t, h)
		for i := range fds {
			if !sys.Passable(fds[i]) || identity(t, fds[i]) == identity(t, int(file.Fd())) {
				t.Errorf("%s: descriptor %d is handed over", what, i)
			}
			if sysFlags(t, fds[i])&unix.O_NONBLOCK != 0 {
				t.Errorf("%s: descriptor %d does not block", what, i)
			}
		}
		closeAll(fds)
		s.finish()
	}
}

// bulk returns bytes that have no pattern, and their sum.
func bulk(size int) ([]byte, [32]byte) {
	data := make([]byte, size)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	return data, sha256.Sum256(data)
}

func TestFilesAreCopiedBothWays(t *testing.T) {
	t.Parallel()
	data, sum := bulk(3<<20 + 123)
	in, out, errs := filepath.Join(tempDir(t), "in"), filepath.Join(tempDir(t), "out"), filepath.Join(tempDir(t), "err")
	must(t, os.WriteFile(in, data, 0o600))
	must(t, os.WriteFile(out, []byte("before\n"), 0o600))
	s := begin(t, how{stdin: open(t, in, os.O_RDONLY), stdout: open(t, out, os.O_WRONLY|os.O_APPEND), stderr: open(t, errs, os.O_WRONLY|os.O_CREATE)}, &wire.Ready{})
	s.started(&wire.Started{})
	got, err := io.ReadAll(s.stdio[0])
	if err != nil || sha256.Sum256(got) != sum {
		t.Errorf("stdin: %d bytes, %v", len(got), err)
	}
	for _, file := range s.stdio[1:] {
		if n, err := file.Write(data); err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	s.ends(&wire.Exit{Status: 3 << 8})
	s.exits(3)
	for path, before := range map[string]string{out: "before\n", errs: ""} {
		if got, err := os.ReadFile(path); err != nil || string(got[:len(before)]) != before || sha256.Sum256(got[len(before):]) != sum {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
	}
	if st, err := os.Stat(in); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the file has %v, %v", st.Mode(), err)
	}
}

// What was written before the end is copied after it. What others write then, is not.
func TestOutputThatIsLeftAtTheEndIsCopied(t *testing.T) {
	t.Parallel()
	data, _ := bulk(60 << 10)
	out := filepath.Join(tempDir(t), "out")
	s := begin(t, how{stdout: open(t, out, os.O_WRONLY|os.O_CREATE)}, &wire.Ready{})
	s.started(&wire.Started{})
	s.signal(unix.SIGSTOP) // so that all of it is left
	_, err := s.stdio[1].Write(data)
	must(t, err)
	s.agent.send(&wire.Exit{Status: 1 << 8})
	s.signal(unix.SIGCONT)
	s.exits(1) // although somebody has the pipe
	if got, err := os.ReadFile(out); err != nil || string(got) != string(data) {
		t.Errorf("%d of %d bytes, %v", len(got), len(data), err)
	}
	if _, err := s.stdio[1].WriteString("late"); err == nil {
		t.Error("the pipe has a reader")
	}
}

func TestInputEndsInTheSessionToo(t *testing.T) {
	t.Parallel()
	for what, file := range map[string]*os.File{"/dev/null": open(t, "/dev/null", os.O_RDONLY), "a directory": open(t, "/", os.O_RDONLY), "what is only for writing": open(t, "/dev/null", os.O_WRONLY)} {
		s := begin(t, how{stdin: file}, &wire.Ready{})
		s.started(&wire.Started{})
		if got, err := io.ReadAll(s.stdio[0]); len(got) > 0 || err != nil {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		s.idles()
		s.ends(&wire.Exit{})
		s.exits(0)
	}
}

// idles fails the test if the program takes processor time while nothing happens.
func (s *session) idles() {
	s.t.Helper()
	before := cpu(s.t, s.pid)
	// Nothing comes from the agent's connection.
	ready := []unix.PollFd{{Fd: int32(s.agent.Fd()), Events: unix.POLLIN}}
	if n, err := sys.Poll(ready, 150); n != 0 {
		s.t.Errorf("the program sends something: %v", err)
	}
	if used := cpu(s.t, s.pid) - before; used > 5 {
		s.t.Errorf("it took %d ticks of processor time in 150 ms", used)
	}
}

// cpu returns the processor time of a process and of those that it started, in ticks of 10 ms.
func cpu(t testing.TB, pid int) (ticks int) {
	t.Helper()
	fields := stat(pid)
	for _, field := range []int{13, 14} {
		if fields != nil { // else it has ended
			n, err := strconv.Atoi(fields[field-2])
			must(t, err)
			ticks += n
		}
	}
	for _, child := range children(t, pid) {
		ticks += cpu(t, child)
	}
	return ticks
}

func TestSessionNeedNotReadItsInput(t *testing.T) {
	t.Parallel()
	s := begin(t, how{stdin: open(t, "/dev/zero", os.O_RDONLY)}, &wire.Ready{})
	s.started(&wire.Started{})
	_, err := io.ReadFull(s.stdio[0], make([]byte, 1))
	must(t, err)
	s.idles()
	s.agent.send(&wire.Exit{Status: 4 << 8})
	s.exits(4)
}

func TestSessionMayCloseItsInputEarly(t *testing.T) {
	t.Parallel()
	s := begin(t, how{stdin: open(t, "/dev/zero", os.O_RDONLY)}, &wire.Ready{})
	s.started(&wire.Started{})
	_, err := io.ReadFull(s.stdio[0], make([]byte, 1<<20))
	must(t, err)
	_ = s.stdio[0].Close()
	s.idles()
	s.ends(&wire.Exit{Status: 4 << 8})
	s.exits(4)
}

func TestSessionLearnsThatNobodyReadsItsOutput(t *testing.T) {
	t.Parallel()
	s := begin(t, how{stdout: open(t, "/dev/full", os.O_WRONLY)}, &wire.Ready{})
	s.started(&wire.Started{})
	until(t, "a write fails", func() bool {
		_, err := s.stdio[1].WriteString("x")
		return err != nil
	})
	s.idles()
	s.ends(&wire.Exit{Status: 4 << 8})
	s.exits(4)
}

func TestEndOfTheOutputDoesNotEndTheSession(t *testing.T) {
	t.Parallel()
	null := open(t, "/dev/null", os.O_RDWR)
	s := begin(t, how{stdin: null, stdout: null, stderr: null}, &wire.Ready{})
	s.started(&wire.Started{})
	s.closeStdio()
	s.idles()
	s.ends(&wire.Exit{Status: 4 << 8})
	s.exits(4)
}

func TestClosedDescriptorsAreEmpty(t *testing.T) {
	t.Parallel()
	for closed, want := range map[string]string{"<&-": "out", ">&-": "", "2>&-": "out", "<&- >&- 2>&-": ""} {
		s := begin(t, how{via: `exec "$@" ` + closed}, &wire.Ready{Notice: []string{"a notice"}})
		s.started(&wire.Started{Notice: "another"})
		if strings.Contains(closed, "<") {
			if got, err := io.ReadAll(s.stdio[0]); len(got) > 0 || err != nil {
				t.Errorf("%s: %q, %v", closed, got, err)
			}
		}
		for _, file := range s.stdio[1:] {
			if _, err := file.WriteString("out"); err != nil {
				t.Errorf("%s: %v", closed, err)
			}
		}
		s.ends(&wire.Exit{Status: 6 << 8})
		s.exits(6)
		if got := s.out.whole(t); got != want {
			t.Errorf("%s: %q", closed, got)
		}
	}
}

func TestPipesOfTheTestAreSharedUntilTheEnd(t *testing.T) {
	t.Parallel()
	s := begin(t, how{argv: []string{"dockersh", "-c", "cat"}}, &wire.Ready{})
	s.started(&wire.Started{})
	_, err := s.in.WriteString("typed")
	must(t, err)
	_ = s.in.Close()
	got, err := io.ReadAll(s.stdio[0])
	if string(got) != "typed" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	_, _ = s.stdio[1].WriteString("out")
	_, _ = s.stdio[2].WriteString("err")
	s.ends(&wire.Exit{})
	s.exits(0)
	if out, errs := s.out.whole(t), s.errors.whole(t); out != "out" || errs != "err" {
		t.Errorf("%q, %q", out, errs)
	}
}

// The container user may have another number than the owner of the pipes.
func TestPipesCanBeOpenedAgainByAnotherUser(t *testing.T) {
	t.Parallel()
	needRoot(t)
	null := open(t, "/dev/null", os.O_RDWR)
	for _, h := range []how{{}, {stdin: null, stdout: null}} {
		s, fds := startPlain(t, h)
		s.started(&wire.Started{})
		in, out := os.NewFile(uintptr(fds[0]), "in"), os.NewFile(uintptr(fds[1]), "out")
		cmd := exec.Command("/bin/sh", "-c", "echo x >/dev/stdout; exec cat /dev/stdin")
		cmd.Stdin, cmd.Stdout = in, out
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if s.in != nil {
			_ = s.in.Close()
		}
		if err := cmd.Run(); err != nil {
			t.Error(err)
		}
		_, _ = in.Close(), out.Close()
		closeAll(fds[2:])
		s.ends(&wire.Exit{})
		s.exits(0)
	}
}

func TestModesOfOtherFilesStay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(tempDir(t), "file")
	_, socket := socketpair(t, unix.SOCK_STREAM)
	must(t, os.WriteFile(path, nil, 0o640))
	must(t, os.Chmod(path, 0o640))
	file := open(t, path, os.O_RDWR)
	before := mode(t, int(socket.Fd()))
	asked(t, how{stdin: file, stdout: file, stderr: socket}, &wire.Ready{})
	if got := mode(t, int(file.Fd())); got&0o777 != 0o640 {
		t.Errorf("the file: %o", got)
	}
	if got := mode(t, int(socket.Fd())); got != before {
		t.Errorf("the socket: %o", got)
	}
}

func mode(t *testing.T, fd int) uint32 {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Fstat(fd, &st))
	return st.Mode
}

// A terminal as standard input of a command with its output elsewhere, as of `ssh -t host cmd | x`.
func TestTerminalOfACommandIsCopiedFrom(t *testing.T) {
	t.Parallel()
	master, slave := terminal(t)
	s := begin(t, how{argv: []string{"dockersh", "-c", "cat"}, stdin: slave}, &wire.Ready{})
	if s.login.Terminal || s.start.Terminal {
		t.Errorf("%+v, %+v", s.login, s.start)
	}
	s.started(&wire.Started{})
	_, err := master.WriteString("line\n\x04")
	must(t, err)
	if got, err := io.ReadAll(s.stdio[0]); string(got) != "line\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	s.ends(&wire.Exit{})
	s.exits(0)
}
