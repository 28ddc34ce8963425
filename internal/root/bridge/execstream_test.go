package bridge

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/proto/exitstatus"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// newFakeStream returns a session in a container whose programs run on this host.
func newFakeStream(t *testing.T) (*execStream, *enginetest.Fake) {
	t.Helper()
	f := enginetest.New()
	f.Add(engine.Container{ID: "c", Name: "c", State: engine.Running})
	f.OnStream = func(in enginetest.Inside) int {
		cmd := exec.Command(in.Argv[0], in.Argv[1:]...)
		cmd.Env = append(os.Environ(), in.Env...)
		cmd.Stdout, cmd.Stderr = in.Out, in.Errs
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // as a runtime does
		stdin, err := cmd.StdinPipe()                        // Stdin would be waited for after the program's end
		if err != nil {
			t.Error(err)
		}
		go func() { _, _ = io.Copy(stdin, in.In); _ = stdin.Close() }()
		_ = cmd.Run()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
			return exitstatus.SignalCode(status.Signal())
		}
		return cmd.ProcessState.ExitCode()
	}
	p, err := newExecStream(func(engine.Address) (engine.Engine, error) { return f, nil },
		&wire.Bridge{Container: "c", User: "alice", Home: "/"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return p, f
}

func command(script string) *wire.Start {
	return &wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", script}}
}

func TestExecStreamCarriesInputOutputAndExitCode(t *testing.T) {
	p, _ := newFakeStream(t)
	out, errs := &screen{}, &screen{}
	if s, err := p.start(t.Context(), command(`cat; echo "$USER" >&2; exit 7`), out, errs); s.Notice != "" || s.SSHAgent != -1 || err != nil {
		t.Fatalf("%+v, %v", s, err)
	}
	_, _ = p.Write([]byte("typed\n"))
	_ = p.CloseWrite()
	exit, err := p.wait(t.Context())
	if err != nil || *exit != (wire.Exit{Status: exitstatus.OfCode(7)}) || out.String() != "typed\n" || errs.String() != "alice\n" {
		t.Errorf("%+v, %v, %q, %q", exit, err, out.String(), errs.String())
	}
}

func TestExecStreamExplainsAProgramThatCannotBeRun(t *testing.T) {
	p, _ := newFakeStream(t)
	_, err := p.start(t.Context(), &wire.Start{Path: "/none/such", Argv: []string{"x"}}, io.Discard, io.Discard)
	var e *usererr.Error
	if !errors.As(err, &e) || e.Code != usererr.Container || !strings.Contains(e.Text, "/none/such") {
		t.Errorf("got %v", err)
	}
	p.hangUp() // of a program that was not started
}

func TestKillIsExplainedByMemoryOrByTheContainersEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		cause func(*enginetest.Fake)
		want  *wire.Exit
	}{
		{"a kill", func(*enginetest.Fake) {}, &wire.Exit{Status: exitstatus.OfCode(137)}},
		{"memory ran out", func(f *enginetest.Fake) { f.KillForMemory("c") }, &wire.Exit{Status: exitstatus.OfCode(137), OutOfMemory: true}},
		{"the container was stopped", func(f *enginetest.Fake) { f.SetState("c", engine.Exited) }, nil},
	} {
		p, f := newFakeStream(t)
		if _, err := p.start(t.Context(), command("read -r x; kill -KILL $$"), io.Discard, io.Discard); err != nil {
			t.Fatal(err)
		}
		c.cause(f)
		_, _ = p.Write([]byte("\n"))
		exit, err := p.wait(t.Context())
		if err != nil || (exit == nil) != (c.want == nil) || exit != nil && *exit != *c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.name, exit, err, c.want)
		}
	}
}

func TestHangUpEndsTheProgramOfAnExecStream(t *testing.T) {
	p, _ := newFakeStream(t)
	if _, err := p.start(t.Context(), command("exec sleep 600"), io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	p.hangUp()
	for end := time.Now().Add(10 * time.Second); unix.Kill(p.report.PID, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the program goes on")
		}
	}
}
