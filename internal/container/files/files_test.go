package files

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain is dockersh-files in a process of its own.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "scp" {
		os.Exit(Main())
	}
	os.Exit(m.Run())
}

// A program that ran before, such as one of the shell's start files, can leave the pipes of a
// session non-blocking.
func TestNonBlockingPipesCarryFiles(t *testing.T) {
	var in, out [2]int
	for _, p := range []*[2]int{&in, &out} {
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
			t.Fatal(err)
		}
	}
	ours, from := os.NewFile(uintptr(in[1]), "to"), os.NewFile(uintptr(out[0]), "from")
	dir := t.TempDir()
	pid, err := syscall.ForkExec(os.Args[0], []string{"dockersh-files", "scp", "-t", dir + "/f"},
		&syscall.ProcAttr{Files: []uintptr{uintptr(in[0]), uintptr(out[1]), 2}, Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1)
	_ = from.SetReadDeadline(time.Now().Add(20 * time.Second))
	for _, send := range []string{"", "C0644 5 f\n", "hello\x00"} {
		if _, err := io.WriteString(ours, send); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(from, answer); err != nil || answer[0] != 0 {
			t.Fatalf("after %q: %q %v", send, answer, err)
		}
	}
	_ = ours.Close()
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil || status != 0 {
		t.Errorf("%v %v", status, err)
	}
	if text, err := os.ReadFile(dir + "/f"); err != nil || string(text) != "hello" {
		t.Errorf("%q %v", text, err)
	}
}
