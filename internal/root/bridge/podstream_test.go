package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/container/agent"
	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/frames"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// The test is the agent, too.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "stream" {
		os.Exit(agent.PodMain())
	}
	if len(os.Args) == 2 && os.Args[1] == "ask" {
		if err := askAgent(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// askAgent sends its input to the ssh agent of the session, and prints the answer.
func askAgent() error {
	c, err := net.Dial("unix", os.Getenv("SSH_AUTH_SOCK"))
	if err != nil {
		return err
	}
	go func() { _, _ = io.Copy(c, os.Stdin); _ = c.(*net.UnixConn).CloseWrite() }()
	_, err = io.Copy(os.Stdout, c)
	return err
}

// newPod returns a session in a pod whose agent runs on this host, or is another program.
func newPod(t *testing.T, argv ...string) *podStream {
	t.Helper()
	return newPodOn(t, enginetest.New(), 0, argv...)
}

// newLatePod is newPod with output that is so late, and lost where its program has ended.
func newLatePod(t *testing.T, late time.Duration, argv ...string) *podStream {
	t.Helper()
	return newPodOn(t, enginetest.New(), late, argv...)
}

func newPodOn(t *testing.T, f *enginetest.Fake, late time.Duration, argv ...string) *podStream {
	t.Helper()
	if len(argv) == 0 {
		argv = []string{"/proc/self/exe", "stream"}
	}
	f.Add(engine.Container{ID: "c", Name: "c", State: engine.Running})
	f.OnStream = func(in enginetest.Inside) int {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stdout, cmd.Stderr = in.Out, in.Errs
		if late != 0 {
			cmd.Stdout = nil
			pipe, err := cmd.StdoutPipe() // closed where the program has ended
			if err != nil {
				t.Error(err)
			}
			out := &overtaken{to: in.Out, late: late, ended: make(chan struct{})}
			defer close(out.ended)
			go func() { _, _ = io.Copy(out, pipe) }()
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Error(err)
		}
		go func() { _, _ = io.Copy(stdin, in.In); _ = stdin.Close() }()
		_ = cmd.Run()
		return cmd.ProcessState.ExitCode()
	}
	p, over, err := newPodStream(func(engine.Address) (engine.Engine, error) { return f, nil },
		&wire.Bridge{Container: "c", User: "alice", Home: "/", Name: "c", Host: "h", Session: "s"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(over)
	t.Cleanup(p.hangUp)
	return p
}

// overtaken is an output whose bytes the end of the program overtakes, as in a kubelet: where the
// connection is closed, what nobody has read yet is dropped.
type overtaken struct {
	to    io.Writer
	late  time.Duration
	ended chan struct{}
}

func (o *overtaken) Write(p []byte) (int, error) {
	select {
	case <-o.ended:
	case <-time.After(o.late):
		_, _ = o.to.Write(p)
	}
	return len(p), nil
}

func startIn(t *testing.T, p *podStream, m *wire.Start) (out, errs *screen) {
	t.Helper()
	out, errs = &screen{}, &screen{}
	if s, err := p.start(t.Context(), m, out, errs); err != nil || s.SSHAgent != -1 || s.Master != -1 {
		t.Fatalf("%+v, %v", s, err)
	}
	return out, errs
}

func waitFor(t *testing.T, p *podStream) *wire.Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	exit, err := p.wait(ctx)
	if err != nil || exit == nil {
		t.Fatalf("%+v %v", exit, err)
	}
	return exit
}

func TestPodSessionCarriesInputOutputAndExit(t *testing.T) {
	p := newPod(t)
	out, errs := startIn(t, p, command(`cat; echo "$USER $HOME" >&2; exit 7`))
	_, _ = p.Write([]byte("typed\n"))
	_ = p.CloseWrite()
	exit := waitFor(t, p)
	if *exit != (wire.Exit{Status: exitstatus.OfCode(7)}) || out.String() != "typed\n" || errs.String() != "alice /\n" {
		t.Errorf("%+v, %q, %q", exit, out.String(), errs.String())
	}
}

func TestPodSessionIsKnownToOtherLoginHostsUntilItsEnd(t *testing.T) {
	for _, hangsUp := range []bool{false, true} {
		f := enginetest.New()
		if err := f.Announce(t.Context(), engine.Presence{Container: "c", Host: "h", Session: "s"}); err != nil {
			t.Fatal(err)
		}
		present := func() int {
			all, err := f.Presences(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		p := newPodOn(t, f, 0)
		startIn(t, p, command("cat"))
		if present() != 1 {
			t.Error("it is gone while somebody is in")
		}
		if hangsUp {
			p.hangUp()
		} else {
			_ = p.CloseWrite()
			waitFor(t, p)
		}
		p.over()
		if present() != 0 {
			t.Errorf("hung up %v: it still counts", hangsUp)
		}
	}
}

func TestPodSessionEndsBySignalAsItDid(t *testing.T) {
	p := newPod(t)
	startIn(t, p, command(`kill -FPE $$`))
	if exit := waitFor(t, p); unix.WaitStatus(exit.Status).Signal() != unix.SIGFPE {
		t.Errorf("%+v", exit)
	}
	p = newPod(t)
	out, _ := startIn(t, p, command(`trap 'echo caught; exit 3' USR1; echo ready; while :; do sleep 0.01; done`))
	for !strings.Contains(out.String(), "ready") {
		time.Sleep(time.Millisecond)
	}
	if err := p.signal(t.Context(), unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if exit := waitFor(t, p); exit.Status != exitstatus.OfCode(3) || out.String() != "ready\ncaught\n" {
		t.Errorf("%+v %q", exit, out.String())
	}
}

// blocked is an output that nobody reads for a while.
type blocked struct {
	screen
	free chan struct{}
}

func (b *blocked) Write(p []byte) (int, error) {
	<-b.free
	return b.screen.Write(p)
}

// A client that reads no output keeps nothing from the connection: the library that has it ends one whose
// answers to its pings are not read for a minute.
func TestPodSessionReadsTheConnectionWhileNobodyReadsTheOutput(t *testing.T) {
	p := newPod(t)
	out := &blocked{free: make(chan struct{})}
	m := command(`head -c 3000000 /dev/zero & cat >/dev/null; wait; echo end; exit 3`)
	if _, err := p.start(t.Context(), m, out, io.Discard); err != nil {
		t.Fatal(err)
	}
	wrote := make(chan error, 1)
	go func() { _, err := p.Write(make([]byte, 4*frames.Window)); wrote <- err }()
	select {
	case err := <-wrote: // so what was taken of it came on the connection
		if err != nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the connection waits for the output")
	}
	close(out.free)
	_ = p.CloseWrite()
	exit := waitFor(t, p)
	if s := out.String(); exit.Status != exitstatus.OfCode(3) || len(s) != 3000004 || !strings.HasSuffix(s, "end\n") {
		t.Errorf("%+v, %d bytes", exit, len(s))
	}
}

// All output that is on its way is still shown after a Ctrl-C.
func TestLessOfATerminalIsOnItsWay(t *testing.T) {
	p := newPod(t)
	out := &blocked{free: make(chan struct{})}
	m := command(`head -c 3000000 /dev/zero | tr '\0' x; echo end`)
	m.Terminal, m.Rows, m.Cols = true, 24, 80
	if _, err := p.start(t.Context(), m, out, io.Discard); err != nil {
		t.Fatal(err)
	}
	size := func() int {
		p.outputs.mu.Lock()
		defer p.outputs.mu.Unlock()
		return p.outputs.size
	}
	for most := time.Now().Add(20 * time.Second); size() < frames.TerminalWindow && time.Now().Before(most); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	if n := size(); n != frames.TerminalWindow {
		t.Errorf("%d bytes are on their way", n)
	}
	close(out.free)
	waitFor(t, p)
	if s := out.String(); len(s) != 3000005 || !strings.HasSuffix(s, "end\r\n") {
		t.Errorf("%d bytes", len(s))
	}
}

// What is left behind keeps no session from its end, and nothing of the output is lost.
func TestPodSessionReturnsAtItsEndWithAllOutput(t *testing.T) {
	p := newPod(t)
	out, _ := startIn(t, p, command(`sleep 100 & head -c 3000000 /dev/zero; echo end`))
	start := time.Now()
	waitFor(t, p)
	if s := out.String(); len(s) != 3000004 || !strings.HasSuffix(s, "end\n") || time.Since(start) > 20*time.Second {
		t.Errorf("%d bytes after %v", len(s), time.Since(start))
	}
}

func TestPodSessionTakesInputAsItsProgramDoes(t *testing.T) {
	p := newPod(t)
	out, _ := startIn(t, p, command(`sleep 0.3; cksum`))
	data := bytes.Repeat([]byte("0123456789abcde\n"), 1<<17) // more than the window
	if n, err := p.Write(data); n != len(data) || err != nil {
		t.Fatal(n, err)
	}
	_ = p.CloseWrite()
	waitFor(t, p)
	if !strings.HasSuffix(out.String(), fmt.Sprintf(" %d\n", len(data))) {
		t.Errorf("%q", out.String())
	}
	// One that reads nothing can be signalled, and ends.
	p = newPod(t)
	startIn(t, p, command(`exec sleep 100`))
	wrote := make(chan error, 1)
	go func() { _, err := p.Write(data); wrote <- err }()
	if err := p.signal(t.Context(), unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if exit := waitFor(t, p); unix.WaitStatus(exit.Status).Signal() != unix.SIGTERM {
		t.Errorf("%+v", exit)
	}
	<-wrote
}

func TestPodSessionHasATerminal(t *testing.T) {
	p := newPod(t)
	m := command("stty size; trap 'stty size; exit 4' WINCH; echo ready; while :; do sleep 0.01; done")
	m.Terminal, m.Rows, m.Cols = true, 41, 133
	out, _ := startIn(t, p, m)
	for !strings.Contains(out.String(), "ready") {
		time.Sleep(time.Millisecond)
	}
	if err := p.resize(t.Context(), 10, 20); err != nil {
		t.Fatal(err)
	}
	if exit := waitFor(t, p); exit.Status != exitstatus.OfCode(4) || !strings.Contains(out.String(), "41 133") || !strings.Contains(out.String(), "10 20") {
		t.Errorf("%+v %q", exit, out.String())
	}
}

func TestPodSessionIsHungUpWhenTheConnectionEnds(t *testing.T) {
	for _, terminal := range []bool{false, true} {
		p := newPod(t)
		file := t.TempDir() + "/hup"
		m := command(`exec 2>/dev/null; trap 'echo got >` + file + `; exit' HUP; echo ready; while :; do sleep 0.01; done`)
		m.Terminal = terminal
		out, _ := startIn(t, p, m)
		for !strings.Contains(out.String(), "ready") {
			time.Sleep(time.Millisecond)
		}
		p.hangUp()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if text, err := os.ReadFile(file); err == nil && string(text) == "got\n" {
				break
			}
			if time.Now().After(end) {
				text, err := os.ReadFile(file)
				t.Fatalf("terminal %v: %q %v", terminal, text, err)
			}
		}
	}
}

func TestPodSessionExplainsWhyThereIsNone(t *testing.T) {
	p := newPod(t)
	_, err := p.start(t.Context(), &wire.Start{Path: "/none/such", Argv: []string{"x"}}, io.Discard, io.Discard)
	var e *usererr.Error
	if !errors.As(err, &e) || !strings.Contains(e.Text, "/none/such") {
		t.Errorf("got %v", err)
	}
	p = newPod(t, "/bin/sh", "-c", "echo no such program >&2; exit 127")
	_, err = p.start(t.Context(), command("true"), io.Discard, io.Discard)
	if !errors.As(err, &e) || !strings.Contains(fmt.Sprint(e.Cause), "no such program") {
		t.Errorf("got %v", err)
	}
}

// The agent may send more than it was allowed to.
func TestOutputBeyondTheWindowIsRefused(t *testing.T) {
	written := make(chan int, 10)
	out := &blocked{free: make(chan struct{})}
	var o podOutputs
	o.begin(out, io.Discard, func(n int) { written <- n })
	piece := make([]byte, frames.Window/4)
	for i := range 4 {
		if err := o.add(frames.Output, piece); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if o.add(frames.Errors, []byte("x")) == nil || o.add(frames.Output, nil) == nil {
		t.Error("it is kept")
	}
	close(out.free)
	for n := 0; n < frames.Window; {
		n += <-written
		if err := o.add(frames.Errors, []byte("x")); err != nil {
			t.Errorf("no room after %d bytes: %v", n, err)
		}
	}
	o.end()
	<-o.written
	if o.add(frames.Output, []byte("x")) == nil {
		t.Error("it is kept after the end")
	}
}

// The agent is a program of the pod's user, who may replace it.
func TestPodSessionEndsWithADamagedStream(t *testing.T) {
	hello := string(frames.Append(nil, frames.Taken, frames.Number(1)))
	for _, sent := range []string{
		"garbage", hello, string(frames.Append(nil, frames.Output, nil)), string(frames.Append(nil, frames.Message, []byte("?"))), string(frames.Append(nil, frames.Alive, nil)),
	} {
		file := t.TempDir() + "/sent"
		if err := os.WriteFile(file, []byte(sent), 0o600); err != nil {
			t.Fatal(err)
		}
		p := newPod(t, "/bin/sh", "-c", "cat "+file+"; exec sleep 100")
		if _, err := p.start(t.Context(), command("true"), io.Discard, io.Discard); err == nil {
			t.Errorf("%q: a session", sent)
		}
	}
}

func TestEndOfAPodSessionIsNotOvertaken(t *testing.T) {
	p := newLatePod(t, 50*time.Millisecond)
	out, _ := startIn(t, p, command("echo last; exit 7"))
	if exit := waitFor(t, p); exit.Status != exitstatus.OfCode(7) || out.String() != "last\n" {
		t.Errorf("%+v, %q", exit, out.String())
	}
	p = newLatePod(t, 50*time.Millisecond)
	_, err := p.start(t.Context(), &wire.Start{Path: "/no/such/program", Argv: []string{"x"}}, io.Discard, io.Discard)
	if err == nil || strings.Contains(err.Error(), "cannot start a session") {
		t.Errorf("%v", err)
	}
}

func TestPodSessionReachesTheSSHAgent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := newPod(t)
	const many = frames.MaxConnections + 8
	m := command(fmt.Sprintf(`n=0; while [ $n -lt %d ]; do head -c 100000 /dev/zero | %s ask | wc -c & n=$((n+1)); done; wait; echo more | %s ask`, many, self, self))
	m.Inherited, m.SSHAgent = &wire.Inherited{Limits: limits.Own()}, true
	out, errs := &screen{}, &screen{}
	s, err := p.start(t.Context(), m, out, errs)
	if err != nil || s.SSHAgent < 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	defer unix.Close(s.SSHAgent)
	l, err := net.FileListener(os.NewFile(uintptr(s.SSHAgent), "listener"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // as an agent: the answer follows the whole question
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				question, _ := io.ReadAll(c)
				_, _ = c.Write(append(question, question...))
				_ = c.Close()
			}()
		}
	}()
	_ = p.CloseWrite()
	waitFor(t, p)
	if want := strings.Repeat("200000\n", many) + "more\nmore\n"; out.String() != want || errs.String() != "" {
		t.Errorf("%q, %q", out.String(), errs.String())
	}
}

func TestPodSessionWithoutAnSSHAgentHasNone(t *testing.T) {
	p := newPod(t)
	out, _ := startIn(t, p, command(`echo "[$SSH_AUTH_SOCK]"`))
	if waitFor(t, p); out.String() != "[]\n" {
		t.Errorf("%q", out.String())
	}
}
