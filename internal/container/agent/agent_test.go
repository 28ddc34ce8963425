package agent

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// The agent owns wait4 of its process, so it runs in another one, of this test program.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "as-agent" {
		os.Exit(run(os.Args[2]))
	}
	os.Exit(m.Run())
}

// agent starts an agent and plays its broker. The result connects to it.
func agent(t *testing.T) (dial func() channel.Conn) {
	t.Helper()
	dir := t.TempDir()
	start, sock := filepath.Join(dir, "start.sock"), filepath.Join(dir, "agent.sock")
	fd, err := seqpacket.Bind(start, 0o600, 1)
	if err != nil {
		t.Fatal(err)
	}
	l, err := seqpacket.NewListener(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cmd := exec.Command("/proc/self/exe", "as-agent", start)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	_ = l.SetDeadline(time.Now().Add(10 * time.Second))
	raw, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := channel.Conn{Socket: raw}
	defer c.Close()
	if m, _, err := c.Recv(); err != nil || m.Kind() != wire.KindHello {
		t.Fatalf("first message: %v %v", m, err)
	}
	lfd, err := seqpacket.Bind(sock, 0o600, 16)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(&wire.Serve{User: "someone", Home: dir}, lfd); err != nil {
		t.Fatal(err)
	}
	seqpacket.CloseAll([]int{lfd})
	return func() channel.Conn {
		raw, err := seqpacket.Dial(sock)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = raw.Close() })
		c := channel.Conn{Socket: raw}
		c.Within(10 * time.Second)
		if m, ok := next(t, c).(*wire.Hello); !ok || m.Version != wire.AgentVersion {
			t.Fatalf("first message: %#v", m)
		}
		return c
	}
}

// ask sends a message and returns the answer.
func ask(t *testing.T, c channel.Conn, m wire.Message, fds ...int) wire.Message {
	t.Helper()
	if err := c.Send(m, fds...); err != nil {
		t.Fatal(err)
	}
	return next(t, c)
}

// next receives a message.
func next(t *testing.T, c channel.Conn) wire.Message {
	t.Helper()
	m, fds, err := c.Recv()
	if err != nil {
		t.Fatal(err)
	}
	seqpacket.CloseAll(fds)
	return m
}

// pipes returns three pipe ends for a session, and the reading end of its stdout.
func pipes(t *testing.T) (session [3]*os.File, stdout *os.File) {
	t.Helper()
	r0, w0, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = w0.Close()
	r1, w1, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r1.Close() })
	return [3]*os.File{r0, w1, w1}, r1
}

// shell runs a script in a session and returns its output and its end.
func shell(t *testing.T, c channel.Conn, script string) (string, *wire.Exit) {
	t.Helper()
	p, out := pipes(t)
	m := ask(t, c, start(script), int(p[0].Fd()), int(p[1].Fd()), int(p[2].Fd()))
	if _, ok := m.(*wire.Started); !ok {
		t.Fatalf("not started: %#v", m)
	}
	_, _ = p[0].Close(), p[1].Close()
	exit, ok := next(t, c).(*wire.Exit)
	if !ok {
		t.Fatal("no exit")
	}
	_ = out.SetReadDeadline(time.Now().Add(5 * time.Second))
	b, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), exit
}

// start returns the Start of a script.
func start(script string) *wire.Start {
	return &wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Env: []string{"LANG=C"}}
}

func TestSessionHasItsOutputAndItsStatus(t *testing.T) {
	dial := agent(t)
	out, exit := shell(t, dial(), `echo $USER $LANG; pwd; exit 44`)
	if lines := strings.Fields(out); len(lines) != 3 || lines[0] != "someone" || lines[1] != "C" || !strings.HasPrefix(lines[2], "/") {
		t.Errorf("output %q", out)
	}
	if unix.WaitStatus(exit.Status).ExitStatus() != 44 {
		t.Errorf("status %#x", exit.Status)
	}
	_, exit = shell(t, dial(), `kill -FPE $$`)
	if unix.WaitStatus(exit.Status).Signal() != unix.SIGFPE {
		t.Errorf("status %#x", exit.Status)
	}
}

func TestSessionHasNoDescriptorsButItsOwn(t *testing.T) {
	out, _ := shell(t, agent(t)(), `ls /proc/self/fd | tr '\n' ' '`)
	if out != "0 1 2 3 " { // 3 is the directory that ls reads
		t.Errorf("open: %q", out)
	}
}

func TestHostDirectoryIsRefusedAsADescriptor(t *testing.T) {
	c := agent(t)()
	p, _ := pipes(t)
	dir, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	m := ask(t, c, start("ls /proc/self/fd/0/"), int(dir.Fd()), int(p[1].Fd()), int(p[2].Fd()))
	if _, ok := m.(*wire.Error); !ok {
		t.Errorf("got %#v", m)
	}
}

func TestMissingShellIsAnError(t *testing.T) {
	p, _ := pipes(t)
	m := start("true")
	m.Path = "/bin/none"
	got := ask(t, agent(t)(), m, int(p[0].Fd()), int(p[1].Fd()), int(p[2].Fd()))
	if e, ok := got.(*wire.Error); !ok || !strings.Contains(e.Text, "/bin/none") {
		t.Errorf("got %#v", got)
	}
}

func TestLostConnectionHangsUpTheSession(t *testing.T) {
	dial := agent(t)
	c := dial()
	p, out := pipes(t)
	ask(t, c, start(`trap 'echo hup; exit' HUP; echo $$; while :; do sleep 0.1; done`), int(p[0].Fd()), int(p[1].Fd()), int(p[2].Fd()))
	_, _ = p[0].Close(), p[1].Close()
	lines := bufio.NewReader(out)
	pid, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := ask(t, dial(), &wire.Count{}).(*wire.Processes); !ok || m.Others == 0 {
		t.Errorf("counted before: %#v", m)
	}
	_ = c.Close()
	_ = out.SetReadDeadline(time.Now().Add(10 * time.Second))
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.HasSuffix(string(rest), "hup\n") { // dash also reports how its sleep ended
		t.Errorf("got %q, %v", rest, err)
	}
	awaitEnd(t, pid)
}

// awaitEnd waits until a process has ended and was waited for.
func awaitEnd(t *testing.T, pid string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat("/proc/" + strings.TrimSpace(pid)); os.IsNotExist(err) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %s was not reaped", pid)
		}
	}
}

func TestOrphansAreReaped(t *testing.T) {
	out, _ := shell(t, agent(t)(), `(sleep 0.2 >/dev/null 2>&1 & echo $!)`)
	awaitEnd(t, out)
}

func TestTerminalHasItsSizeFromTheStart(t *testing.T) {
	c := agent(t)()
	m := start(`tty; stty size; exit 3`)
	m.Terminal, m.Rows, m.Cols = true, 33, 77
	if err := c.Send(m); err != nil {
		t.Fatal(err)
	}
	got, fds, err := c.Recv()
	if err != nil || got.Kind() != wire.KindStarted || len(fds) != 1 {
		t.Fatalf("got %#v %v %v", got, fds, err)
	}
	master := os.NewFile(uintptr(fds[0]), "master")
	defer master.Close()
	var out []byte
	b := make([]byte, 1000)
	for {
		n, err := master.Read(b)
		out = append(out, b[:n]...)
		if err != nil {
			break
		}
	}
	if s := string(out); !strings.HasPrefix(s, "/dev/pts/") || !strings.HasSuffix(s, "33 77\r\n") {
		t.Errorf("got %q", s)
	}
	if e, ok := next(t, c).(*wire.Exit); !ok || unix.WaitStatus(e.Status).ExitStatus() != 3 {
		t.Errorf("exit %#v", e)
	}
}

func TestKernelPrefersToKillSessionsForMemory(t *testing.T) {
	dial := agent(t)
	for range 2 {
		// The agent takes its own back while the session starts.
		out, _ := shell(t, dial(), `own=$(cat /proc/self/oom_score_adj) i=0
			while [ $own = $(cat /proc/$PPID/oom_score_adj) ] && [ $((i+=1)) -lt 200 ]; do sleep 0.05; done
			echo $own; cat /proc/$PPID/oom_score_adj`)
		var session, agent int
		if n, err := fmt.Sscan(out, &session, &agent); n != 2 || session != min(agent+oomAbove, 1000) || agent == 1000 {
			t.Errorf("session and agent have %q, %v", out, err)
		}
	}
}

func TestOOMCounterIsRead(t *testing.T) {
	for text, want := range map[string]int{
		"oom_kill_disable 0\nunder_oom 0\noom_kill 3\n": 3,
		"low 0\noom 1\noom_kill 12\noom_group_kill 0\n": 12,
		"": 0, "oom_kill": 0, "oom_kill x\n": 0,
	} {
		if got := parseOOM(text); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}
