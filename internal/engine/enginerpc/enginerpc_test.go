package enginerpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/conformance"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
)

// The test is the other process, too.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "serve" {
		f := newFake()
		if err := Serve(0, func(engine.Address) (engine.Engine, error) { return f, nil }); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func newFake() *enginetest.Fake {
	f := enginetest.New()
	f.AddImage("busybox", "sha256:1", map[string][]byte{"/etc/passwd": []byte("x")})
	f.AddLink("busybox", "/way", "data")
	f.AddDir("busybox", "/opt")
	f.Facts = engine.About{Name: "Fake", Version: "2", Oldest: "1"}
	f.OnStream = onThisHost
	return f
}

// onThisHost runs the program here.
func onThisHost(in enginetest.Inside) int {
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

func newClient(t *testing.T) *Client {
	t.Helper()
	e, err := Opener("fake", "/proc/self/exe", "serve")(engine.Address{Host: "fake://"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e.(*Client)
}

func TestEngineInAnotherProcessKeepsTheContract(t *testing.T) {
	c := newClient(t)
	conformance.Test(t, &conformance.Subject{Engine: c, Image: "busybox", Name: "fake", Lacks: map[string]string{
		"paused container is resumed by Start and ended by Stop": "the engine in memory is out of reach",
	}})
	if n := c.Counts(); n.Calls == 0 {
		t.Error("no calls are counted")
	}
}

func TestErrorsAreTheSameOnBothSides(t *testing.T) {
	for _, k := range known {
		if f := failureOf(fmt.Errorf("x: %w", k)); !errors.Is(f, k) || f.Error() != "x: "+k.Error() {
			t.Errorf("%v became %v", k, f)
		}
	}
	if f := failureOf(fs.ErrPermission); len(f.Unwrap()) > 0 || (&failure{Is: []int{-1, 99}}).Unwrap() != nil {
		t.Error("an error became another one")
	}
}

// run starts a program in a container that runs.
func run(t *testing.T, c *Client, script string) engine.Stream {
	t.Helper()
	made, err := c.Create(t.Context(), engine.Spec{Name: "run", Image: "busybox"})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	s, err := c.ExecStream(t.Context(), made.ID, engine.Program{Argv: []string{"/bin/sh", "-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStreamsCarryMegabytes(t *testing.T) {
	s := run(t, newClient(t), "cat")
	data := bytes.Repeat([]byte("0123456789abcde\n"), 8<<20/16)
	go func() { _, _ = s.Write(data); _ = s.CloseWrite() }()
	var out bytes.Buffer
	if err := s.Copy(&out, io.Discard); err != nil || !bytes.Equal(out.Bytes(), data) {
		t.Errorf("%d bytes, %v", out.Len(), err)
	}
}

func TestProgramThatReadsNothingHoldsUpItsInputAlone(t *testing.T) {
	c := newClient(t)
	s := run(t, c, "echo here; exec sleep 600")
	wrote := make(chan error, 1)
	go func() { _, err := s.Write(make([]byte, 8<<20)); wrote <- err }()
	r, w := io.Pipe()
	go func() { _ = s.Copy(w, io.Discard) }()
	if _, err := io.ReadFull(r, make([]byte, len("here\n"))); err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context(), false); err != nil {
		t.Errorf("another call: %v", err)
	}
	s.Close()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err == nil {
		t.Error("nobody read it, and it was written")
	}
}

func TestProcessThatEndedIsStartedAgain(t *testing.T) {
	c := newClient(t)
	if _, err := c.List(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	before := c.Counts()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(t.Context(), false); err != nil {
		t.Error(err)
	}
	if after := c.Counts(); after.Calls <= before.Calls {
		t.Errorf("%+v, and before %+v", after, before)
	}
	none, _ := Opener("none", "/nonexistent")(engine.Address{})
	if _, err := none.List(t.Context(), false); !errors.Is(err, engine.ErrDown) {
		t.Errorf("a program that is not there: %v", err)
	}
}

func FuzzFrames(f *testing.F) {
	f.Add([]byte("i\x01\x00\x00\x00x"))
	f.Add([]byte("x\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &connection{rest: bytes.NewReader(data)}
		for {
			got, err := c.receive()
			if err != nil {
				return
			}
			if len(got.data) > maxFrame {
				t.Errorf("a frame of %d bytes", len(got.data))
			}
		}
	})
}

// One that is frozen reads nothing, and its socket is full after some hundred calls.
func TestProcessThatReadsNothingHoldsUpNoCall(t *testing.T) {
	e, err := Opener("fake", "/bin/sleep", "60")(engine.Address{Host: "fake://"})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 400 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, err := e.Find(ctx, "x")
			cancel()
			if err == nil {
				t.Error("it was found")
			}
		}
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("a call waits for ever")
	}
	_ = e.(*Client).process.Kill()
}

func TestSessionsOfOtherHostsCrossTheSocket(t *testing.T) {
	c := newClient(t)
	made, err := c.Create(t.Context(), engine.Spec{Name: "a", Image: "busybox", Entrypoint: "/x", Labels: map[string]string{engine.LabelOwner: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	p := engine.Presence{Container: "a", Host: "b", Session: "s"}
	if err := c.Announce(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if in, err := c.Enter(t.Context(), made.ID, p); err != nil || in.Labels[engine.LabelLogin] != "s" {
		t.Errorf("%+v %v", in, err)
	}
	if all, err := c.Presences(t.Context()); err != nil || len(all) != 1 || all[0] != p {
		t.Errorf("%+v %v", all, err)
	}
	if err := c.RemoveVacant(t.Context(), made.ID, "a"); !errors.Is(err, engine.ErrInUse) {
		t.Errorf("%v", err)
	}
	if err := errors.Join(c.Withdraw(t.Context(), p), c.RemoveVacant(t.Context(), made.ID, "a")); err != nil {
		t.Error(err)
	}
}
