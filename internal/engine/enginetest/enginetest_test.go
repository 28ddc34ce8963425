package enginetest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/conformance"
)

func TestFakeKeepsTheContract(t *testing.T) {
	f := New()
	f.AddImage("busybox", "sha256:1", map[string][]byte{"/etc/passwd": []byte("x")})
	f.AddLink("busybox", "/way", "data")
	f.AddDir("busybox", "/opt")
	f.Facts = engine.About{Name: "Fake", Version: "2", Oldest: "1"}
	f.OnStream = onThisHost
	conformance.Test(t, &conformance.Subject{Engine: f, Image: "busybox", Name: "fake", Pause: func(t *testing.T, id string) {
		b, err := f.box(id)
		ok(t, err)
		f.SetState(b.Name, engine.Paused)
	}})
}

// onThisHost runs the program here: the container is its output's alone.
func onThisHost(in Inside) int {
	cmd := exec.Command(in.Argv[0], in.Argv[1:]...)
	cmd.Env = append(os.Environ(), in.Env...)
	cmd.Stdout, cmd.Stderr = in.Out, in.Errs
	stdin, err := cmd.StdinPipe() // Stdin would be waited for after the program's end
	if err != nil {
		return 255
	}
	go func() { _, _ = io.Copy(stdin, in.In); _ = stdin.Close() }()
	_ = cmd.Run()
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

func TestHooksMayAskTheEngine(t *testing.T) {
	f, ctx := New(), t.Context()
	f.AddImage("i", "sha256:1", nil)
	var started, ran string
	f.OnStart = func(s engine.Spec) { started = s.Name; _, _ = f.Find(ctx, s.Name) }
	f.OnExec = func(e Exec) { ran = e.Argv[0]; _, _ = f.Find(ctx, "n") }
	made, err := f.Create(ctx, engine.Spec{Name: "n", Image: "i"})
	ok(t, err)
	ok(t, f.Start(ctx, made.ID))
	ok(t, f.Exec(ctx, made.ID, engine.As{UID: 5, GID: 5}, []string{"p"}))
	if started != "n" || ran != "p" {
		t.Errorf("started %q, ran %q", started, ran)
	}
}

func TestCallFailsWithTheErrorOfFail(t *testing.T) {
	f := New()
	f.Fail("Find", engine.ErrDown)
	if _, err := f.Find(t.Context(), "n"); !errors.Is(err, engine.ErrDown) {
		t.Errorf("got %v", err)
	}
	f.Fail("Find", nil)
	f.Add(engine.Container{Name: "n", State: engine.Paused})
	if c, err := f.Find(t.Context(), "n"); err != nil || c.State != engine.Paused || f.Calls("Find") != 2 {
		t.Errorf("got %+v %v, %d calls", c, err, f.Calls("Find"))
	}
}

func TestTerminalLearnsItsSizesAndMemoryRunsOut(t *testing.T) {
	f, ctx := New(), t.Context()
	f.Add(engine.Container{Name: "n", State: engine.Running})
	f.OnStream = func(in Inside) int { size := <-in.Sizes; return int(size[0]) }
	s, err := f.ExecStream(ctx, "n", engine.Program{Terminal: true, Argv: []string{"p"}})
	ok(t, err)
	ok(t, s.Resize(ctx, 24, 80))
	if code, err := s.Wait(ctx); code != 24 || err != nil {
		t.Errorf("%d rows, %v", code, err)
	}
	before := time.Now()
	f.KillForMemory("n")
	for since, want := range map[time.Time]bool{before: true, before.Add(time.Hour): false} {
		if got, err := f.OutOfMemory(ctx, "n", since); got != want || err != nil {
			t.Errorf("since %v: %v %v", since, got, err)
		}
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
