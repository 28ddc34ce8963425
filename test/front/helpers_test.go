package front_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/tty"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// limit is how long anything may take, on a busy machine. It is longer than any limit of the
// program but that for a silent broker.
const limit = 90 * time.Second

// runDir is the run-time directory that the program is built with: its working directory, so
// that each test has a socket of its own.
const runDir = "/proc/self/cwd"

// What all tests of a run share. Every user may enter these directories.
var (
	shared  string // has the program
	libexec string // where the program looks for a broker of one session
)

// program builds the login shell once and returns its path.
func program(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var built = sync.OnceValues(func() (string, error) {
	path := filepath.Join(shared, "dockersh")
	if _, err := os.Stat(path); err == nil {
		return path, nil // a worker of go test -fuzz
	}
	sources, err := filepath.Glob("../../front/*.c")
	if err != nil {
		return "", err
	}
	return path, compile(path, append(sources, "-DRUN_DIR=\""+runDir+"\"", "-DLIBEXEC_DIR=\""+libexec+"\"")...)
})

// compile builds a program with sanitizers.
func compile(path string, args ...string) error {
	text, err := exec.Command("cc", append([]string{"-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
		"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-o", path}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// sanitizers has options for a program that is built with sanitizers: their reports end it with
// an exit code that nothing else has. It is in the environment of every program.
const (
	sanitizers = "ASAN_OPTIONS=detect_leaks=0:disable_coredump=0:exitcode=99"
	reported   = 99
)

// TestMain is also other processes: see others.
func TestMain(m *testing.M) {
	if other, ok := others[filepath.Base(os.Args[0])]; ok {
		other()
		return
	}
	unix.Umask(0) // a socket has its mode from the beginning
	flag.Parse()
	if os.Getenv(sharedVariable) != "" {
		shared, libexec = os.Getenv(sharedVariable), os.Getenv(libexecVariable)
		os.Exit(m.Run())
	}
	code, err := 1, makeShared()
	if err == nil {
		if fuzz := flag.Lookup("test.fuzz"); fuzz == nil || fuzz.Value.String() == "" {
			_ = flag.Set("test.parallel", "8") // most of the time they wait
		}
		code = m.Run()
	}
	if err = errors.Join(err, os.RemoveAll(shared), os.RemoveAll(libexec)); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// The workers of go test -fuzz share the directories with the process that starts them, which has
// them in its environment.
const sharedVariable, libexecVariable = "FRONT_TEST_SHARED", "FRONT_TEST_LIBEXEC"

func makeShared() (err error) {
	if shared, err = os.MkdirTemp("", "front-"); err != nil {
		return err
	}
	libexec = filepath.Join(shared, "libexec")
	if os.Geteuid() == 0 {
		// A program there is run only if nobody else can write to any directory of its path.
		if libexec, err = os.MkdirTemp("/var/lib", "dockersh-front-"); err != nil {
			return err
		}
	}
	return errors.Join(os.MkdirAll(libexec, 0o755), os.Chmod(shared, 0o755), os.Chmod(libexec, 0o755),
		os.Setenv(sharedVariable, shared), os.Setenv(libexecVariable, libexec))
}

// others are processes that the tests need, by the name of the program.
var others = map[string]func(){"other-agent": otherAgent, "dockershd-session": sessionBroker, "change-more": changeMore}

// needRoot skips a test that starts programs as other users.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// nobody is a user who is not root.
const nobody = 65534

// tempDir returns a directory that every user may enter and write to.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(shared, "")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o777))
	return dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition that nothing else reports.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not so in %v: %s", limit, what)
		}
	}
}

// how is how the program is started: without more, as for a login without a terminal.
type how struct {
	argv                  []string // "-dockersh" without any
	env                   []string
	stdin, stdout, stderr *os.File // pipes of the test without any
	terminal              *os.File // all three, of a session of its own
	via                   string   // a script for sh(1) that starts "$@" instead
	uid                   int      // of another user than the test's
	path                  string   // another copy of the program
	extra                 *os.File // one more descriptor
}

// front is the program while it runs.
type front struct {
	t           testing.TB
	pid         int
	in          *os.File
	out, errors *output
	ended       chan struct{} // closed at its end
	status      syscall.WaitStatus
	took        time.Duration
}

// run starts the program. Its broker is b.
func (b *broker) run(h how) *front {
	b.t.Helper()
	f := &front{t: b.t, ended: make(chan struct{})}
	b.last = f
	path, argv := program(b.t), h.argv
	if h.path != "" {
		path = h.path
	}
	if argv == nil {
		argv = []string{"-dockersh"}
	}
	if h.via != "" {
		argv = append([]string{"sh", "-c", h.via, "sh", path}, argv[1:]...)
		path = "/bin/sh"
	}
	attr := &os.ProcAttr{Dir: b.dir, Env: append([]string{sanitizers}, h.env...), Sys: &syscall.SysProcAttr{}}
	if h.uid != 0 {
		attr.Sys.Credential = &syscall.Credential{Uid: uint32(h.uid), Gid: uint32(h.uid)}
	}
	if h.terminal != nil {
		h.stdin, h.stdout, h.stderr = h.terminal, h.terminal, h.terminal
		attr.Sys.Setsid, attr.Sys.Setctty = true, true
	}
	var theirs []*os.File
	if h.stdin == nil {
		r, w := pipe(b.t)
		h.stdin, f.in, theirs = r, w, append(theirs, r)
	}
	if h.stdout == nil {
		r, w := pipe(b.t)
		h.stdout, f.out, theirs = w, collect(r), append(theirs, w)
	}
	if h.stderr == nil {
		r, w := pipe(b.t)
		h.stderr, f.errors, theirs = w, collect(r), append(theirs, w)
	}
	attr.Files = []*os.File{h.stdin, h.stdout, h.stderr}
	if h.extra != nil {
		attr.Files = append(attr.Files, h.extra)
	}
	began := time.Now()
	p, err := os.StartProcess(path, argv, attr)
	must(b.t, err)
	for _, file := range theirs {
		_ = file.Close()
	}
	f.pid = p.Pid
	go func() {
		defer close(f.ended)
		if state, err := p.Wait(); err == nil {
			f.status, _ = state.Sys().(syscall.WaitStatus)
			f.took = time.Since(began)
		}
	}()
	b.t.Cleanup(func() { _ = p.Kill(); <-f.ended })
	return f
}

// pipe returns the ends of a pipe, which the test closes at its end.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return r, w
}

// open returns an open file, which the test closes at its end.
func open(t testing.TB, path string, flags int) *os.File {
	t.Helper()
	file, err := os.OpenFile(path, flags, 0o600)
	must(t, err)
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// asFile returns a file for a descriptor, which the test closes at its end.
func asFile(t testing.TB, fd int) *os.File {
	t.Helper()
	must(t, unix.SetNonblock(fd, true))
	file := os.NewFile(uintptr(fd), "descriptor "+strconv.Itoa(fd))
	t.Cleanup(func() { _ = file.Close() })
	_ = file.SetDeadline(time.Now().Add(limit)) // not for a regular file
	return file
}

// output is what comes out of a pipe.
type output struct {
	mu    sync.Mutex
	bytes bytes.Buffer
	ended chan struct{}
}

func collect(r *os.File) *output {
	o := &output{ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		buf := make([]byte, 32<<10)
		for {
			n, err := r.Read(buf)
			o.mu.Lock()
			o.bytes.Write(buf[:n])
			o.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return o
}

// soFar returns what has come.
func (o *output) soFar() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes.String()
}

// whole waits until nobody can write any more, and returns all of it.
func (o *output) whole(t testing.TB) string {
	t.Helper()
	select {
	case <-o.ended:
	case <-time.After(limit):
		t.Fatalf("somebody has the pipe still; so far %q", o.soFar())
	}
	return o.soFar()
}

// wait waits for the end of the program.
func (f *front) wait() syscall.WaitStatus {
	f.t.Helper()
	select {
	case <-f.ended:
		if f.status.ExitStatus() == reported {
			f.t.Errorf("a sanitizer's report: %s", f.stderrSoFar())
		}
	case <-time.After(limit):
		where, _ := os.ReadFile("/proc/" + strconv.Itoa(f.pid) + "/wchan")
		f.t.Fatalf("it runs on, in %s, %.3q; stderr %q", where, stat(f.pid), f.stderrSoFar())
	}
	return f.status
}

func (f *front) stderrSoFar() string {
	if f.errors == nil {
		return ""
	}
	return f.errors.soFar()
}

// exits waits for the end of the program, which must be an exit with this code.
func (f *front) exits(code int) {
	f.t.Helper()
	if ws := f.wait(); !ws.Exited() || ws.ExitStatus() != code {
		f.t.Errorf("%s instead of exit code %d; stderr %q", describe(ws), code, f.stderrSoFar())
	}
}

// diesBy waits for the end of the program, which must be a death by this signal.
func (f *front) diesBy(sig unix.Signal) {
	f.t.Helper()
	if ws := f.wait(); !ws.Signaled() || ws.Signal() != sig || ws.CoreDump() {
		f.t.Errorf("%s instead of a death by %v; stderr %q", describe(ws), sig, f.stderrSoFar())
	}
}

func describe(ws syscall.WaitStatus) string {
	if ws.Signaled() {
		return fmt.Sprintf("death by %v (core %v)", ws.Signal(), ws.CoreDump())
	}
	return fmt.Sprintf("exit code %d", ws.ExitStatus())
}

// refuses waits for the end of the program, which must be with our exit code and this on stderr.
func (f *front) refuses(stderr string) {
	f.t.Helper()
	f.exits(255)
	if got := f.errors.whole(f.t); got != stderr {
		f.t.Errorf("stderr %q, want %q", got, stderr)
	}
}

// signal sends a signal to the program.
func (f *front) signal(sig unix.Signal) {
	f.t.Helper()
	must(f.t, unix.Kill(f.pid, sig))
}

// catches reports whether the program has a handler for a signal.
func (f *front) catches(sig unix.Signal) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(f.pid) + "/status")
	must(f.t, err)
	_, mask, _ := strings.Cut(string(text), "\nSigCgt:\t")
	mask, _, _ = strings.Cut(mask, "\n")
	set, err := strconv.ParseUint(mask, 16, 64)
	must(f.t, err)
	return set&(1<<(uint(sig)-1)) != 0
}

// peer is the test's end of a connection of the program.
type peer struct {
	t testing.TB
	channel.Conn
}

func newPeer(t testing.TB, c channel.Conn) peer {
	c.Within(limit)
	t.Cleanup(func() { _ = c.Close() })
	return peer{t, c}
}

// send sends a message.
func (p peer) send(m wire.Message, fds ...int) {
	p.t.Helper()
	if err := p.Send(m, fds...); err != nil {
		p.t.Fatalf("%T: %v", m, err)
	}
}

// raw sends a packet, whatever it is.
func (p peer) raw(packet []byte, fds ...int) {
	p.t.Helper()
	must(p.t, p.Socket.Send(packet, fds...))
}

// expect receives a message, which must be of this type.
func expect[M wire.Message](p peer) M {
	p.t.Helper()
	m, fds, err := p.Recv()
	got, ok := m.(M)
	if !ok {
		p.t.Fatalf("%T %+v instead of %T, %v", m, m, got, err)
	}
	seqpacket.CloseAll(fds)
	return got
}

// expectEnd waits for the end of the connection.
func (p peer) expectEnd() {
	p.t.Helper()
	if m, _, err := p.Recv(); !channel.IsGone(err) {
		p.t.Errorf("%T %+v, %v instead of the end", m, m, err)
	}
}

// broker is the service that the program asks, played by a test.
type broker struct {
	t    testing.TB
	dir  string // the program's working directory
	l    *seqpacket.Listener
	last *front // that was started
}

// noBroker returns a broker that does not listen.
func noBroker(t testing.TB) *broker {
	t.Helper()
	return &broker{t: t, dir: tempDir(t)}
}

func newBroker(t testing.TB) *broker {
	t.Helper()
	b := noBroker(t)
	b.listen()
	return b
}

// socket returns the path of the broker's socket.
func (b *broker) socket() string { return filepath.Join(b.dir, "dockershd.sock") }

func (b *broker) listen() {
	b.t.Helper()
	fd, err := seqpacket.Bind(b.socket(), 0o666, 16)
	must(b.t, err)
	b.l, err = seqpacket.NewListener(fd)
	must(b.t, err)
	b.t.Cleanup(func() { _ = b.l.Close() })
}

// accept waits for a connection of the program.
func (b *broker) accept() peer {
	b.t.Helper()
	c, err := b.tryAccept()
	if err != nil {
		b.t.Fatalf("%v; stderr %q", err, b.last.stderrSoFar())
	}
	return c
}

func (b *broker) tryAccept() (peer, error) {
	_ = b.l.SetDeadline(time.Now().Add(limit))
	c, err := b.l.Accept()
	if err != nil {
		return peer{}, err
	}
	return newPeer(b.t, channel.Conn{Socket: c}), nil
}

// ready answers a login with an agent, and returns that agent.
func (p peer) ready(m *wire.Ready) agent {
	p.t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	must(p.t, err)
	p.send(m, pair[0])
	_ = unix.Close(pair[0])
	c, err := channel.New(pair[1])
	must(p.t, err)
	return agent{newPeer(p.t, c)}
}

// agent is the one in the user's container, played by a test.
type agent struct{ peer }

// greet sends a Hello, and returns the Start that follows, with its descriptors.
func (a agent) greet(version uint16) (*wire.Start, []int) {
	a.t.Helper()
	a.send(&wire.Hello{Version: version})
	m, fds, err := a.Recv()
	start, ok := m.(*wire.Start)
	if !ok {
		a.t.Fatalf("%T %+v instead of Start, %v", m, m, err)
	}
	return start, fds
}

// session is a session of the program, up to its Start.
type session struct {
	*front
	broker peer
	agent  agent
	login  *wire.Login
	start  *wire.Start
	stdio  []*os.File // standard input, output and error of a session without a terminal
	pty    *os.File   // the session's end of its terminal, in raw mode; nil without one
}

// begin starts the program and answers it up to its Start.
func begin(t testing.TB, h how, m *wire.Ready) *session {
	t.Helper()
	return newBroker(t).begin(h, m)
}

func (b *broker) begin(h how, m *wire.Ready) *session {
	b.t.Helper()
	s := &session{front: b.run(h), broker: b.accept()}
	s.login = expect[*wire.Login](s.broker)
	s.greet(m)
	return s
}

// greet answers the login and receives the Start.
func (s *session) greet(m *wire.Ready) {
	s.t.Helper()
	if m.Shell == "" {
		m.Shell = "/bin/ash"
	}
	s.agent = s.broker.ready(m)
	var fds []int
	s.start, fds = s.agent.greet(wire.AgentVersion)
	for _, fd := range fds {
		s.stdio = append(s.stdio, asFile(s.t, fd))
	}
}

// started answers the Start: the session runs.
func (s *session) started(m *wire.Started, fds ...int) {
	s.t.Helper()
	m.Terminal = s.start.Terminal
	if s.start.Terminal {
		master, slave := rawTerminal(s.t)
		s.pty = slave
		fds = append([]int{master}, fds...)
		defer unix.Close(master)
	}
	s.agent.send(m, fds...)
}

// closeStdio closes what the session has of its standard input, output and error.
func (s *session) closeStdio() {
	for _, file := range s.stdio {
		_ = file.Close()
	}
	if s.pty != nil {
		_ = s.pty.Close()
	}
}

// ends ends the session. The program must report that to the broker.
func (s *session) ends(m *wire.Exit) {
	s.t.Helper()
	s.closeStdio()
	s.agent.send(m)
	if e := expect[*wire.Ended](s.broker); e.Status != m.Status {
		s.t.Errorf("%#x is reported as %#x", m.Status, e.Status)
	}
}

// finish runs a session to its end, with exit code 0.
func (s *session) finish() {
	s.t.Helper()
	s.started(&wire.Started{})
	s.ends(&wire.Exit{})
	s.exits(0)
}

// asked runs a session that has this Login and Start.
func asked(t testing.TB, h how, m *wire.Ready) (*wire.Login, *wire.Start) {
	t.Helper()
	s := begin(t, h, m)
	s.finish()
	return s.login, s.start
}

// terminal returns the ends of a new terminal: that of the test, and that of a program.
func terminal(t testing.TB) (master, slave *os.File) {
	t.Helper()
	m, s, err := tty.Open()
	must(t, err)
	master, slave = asFile(t, m), os.NewFile(uintptr(s), "terminal")
	t.Cleanup(func() { _ = slave.Close() })
	return master, slave
}

// rawTerminal returns the ends of a terminal that changes nothing.
func rawTerminal(t testing.TB) (master int, slave *os.File) {
	t.Helper()
	master, fd, err := tty.Open()
	must(t, err)
	modes, err := tty.Get(fd)
	must(t, err)
	must(t, modes.Raw(fd))
	return master, asFile(t, fd)
}

// readText reads what a file has now, at least one byte; "" at its end.
func readText(t testing.TB, file *os.File) string {
	t.Helper()
	buf := make([]byte, 64<<10)
	n, err := file.Read(buf)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// closeAll closes descriptors that the test has received.
func closeAll(fds []int) { seqpacket.CloseAll(fds) }

// stat returns the fields of /proc/PID/stat (proc(5)) from the state of the process on; none if it
// is gone.
func stat(pid int) []string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}
