package netns

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/internal/host/proc"
)

// start starts a process, in a network namespace of its own or in ours.
func start(t *testing.T, flags uintptr) (p proc.Stat, end func()) {
	t.Helper()
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	if err := cmd.Start(); err != nil {
		t.Skip(err) // without root
	}
	end = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(end)
	p, err := proc.Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return p, end
}

func TestNamespaceIsThatOfTheVeryProcess(t *testing.T) {
	p, end := start(t, syscall.CLONE_NEWNET)
	ns, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	another, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	defer another.Close()
	a, err1 := ns.Stat()
	b, err2 := another.Stat()
	if err1 != nil || err2 != nil || !os.SameFile(a, b) {
		t.Errorf("%v %v: two namespaces of one process", err1, err2)
	}
	next := p
	next.Start++ // another process with its number
	if _, err := Of(next); !errors.Is(err, proc.ErrGone) {
		t.Errorf("of an earlier process: %v", err)
	}
	end()
	if _, err := Of(p); !errors.Is(err, proc.ErrGone) {
		t.Errorf("of a process that has ended: %v", err)
	}
}

func TestNamespaceOfTheHostIsRefused(t *testing.T) {
	p, _ := start(t, 0)
	if _, err := Of(p); !errors.Is(err, ErrHost) {
		t.Errorf("%v", err)
	}
}

func TestOnlyItsThreadIsInTheNamespace(t *testing.T) {
	p, _ := start(t, syscall.CLONE_NEWNET)
	ns, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	read := func() string { to, _ := os.Readlink("/proc/thread-self/ns/net"); return to }
	before, inside := read(), ""
	if err := In(ns, func() { inside = read() }); err != nil {
		t.Fatal(err)
	}
	if inside == before || inside == "" || read() != before {
		t.Errorf("before %s, inside %s, after %s", before, inside, read())
	}
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := In(null, func() { t.Error("it is not a namespace") }); err == nil {
		t.Error("no error")
	}
}

// The process's own in /proc is the main thread, which does not end before the process.
func TestMainThreadStaysWhereItIs(t *testing.T) {
	p, _ := start(t, syscall.CLONE_NEWNET)
	ns, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	defer ns.Close()
	read := func(of string) string { to, _ := os.Readlink("/proc/" + of + "/ns/net"); return to }
	before := read("self")
	for range 500 {
		inside := ""
		if err := In(ns, func() { inside = read("thread-self") }); err != nil || inside == before {
			t.Fatalf("%v, in %s", err, inside)
		}
		if after := read("self"); after != before {
			t.Fatalf("the main thread is in %s", after)
		}
		time.Sleep(100 * time.Microsecond) // threads change
	}
}
