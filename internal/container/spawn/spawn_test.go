package spawn

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/host/tty"
)

// program is a program whose output goes to a pipe.
func program(t *testing.T, path string, argv ...string) (p *Program, out *os.File) {
	t.Helper()
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = null.Close(), r.Close(), w.Close() })
	in, to := int(null.Fd()), int(w.Fd())
	return &Program{
		Path: path, Argv: argv, Env: []string{"A=b"}, Dir: "/", Stdio: [3]int{in, to, to}, Limits: limits.Own(), Umask: -1,
	}, r
}

// run runs a script to its end and returns its output.
func run(t *testing.T, change func(*Program), script string) string {
	t.Helper()
	p, out := program(t, "/bin/sh", "sh", "-c", script)
	change(p)
	pid, err := Start(p)
	if err != nil {
		t.Fatal(err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil || status != 0 {
		t.Errorf("status %v, %v", status, err)
	}
	if err := out.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := out.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	return string(b[:n])
}

func TestProgramHasLimitsUmaskAndNiceValueFromTheStart(t *testing.T) {
	for range 20 {
		got := run(t, func(p *Program) {
			p.Umask, p.Nice, p.Dir = 0o27, 7, "/usr"
			p.Limits[unix.RLIMIT_NOFILE] = limits.Limit{Soft: 50, Hard: 60}
			p.Limits[unix.RLIMIT_CORE] = limits.Limit{}
		}, "umask; nice; pwd; ulimit -Sn; ulimit -Hn; ulimit -Hc; echo $A")
		if want := "0027\n7\n/usr\n50\n60\n0\nb\n"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if nice, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err != nil || nice != 20 {
		t.Errorf("our own nice value changed: %d %v", 20-nice, err)
	}
}

func TestProgramLeadsASessionWithDefaultSignals(t *testing.T) {
	// A shell that waits may block signals, so nobody waits for grep.
	got := run(t, func(*Program) {}, `set -- $(cat /proc/$$/stat); [ $6 = $$ ] && echo leads; exec grep -E 'Sig(Blk|Ign)' /proc/self/status`)
	var blocked, ignored uint64
	if _, err := fmt.Sscanf(got, "leads\nSigBlk: %x\nSigIgn: %x", &blocked, &ignored); err != nil {
		t.Fatal(err, got)
	}
	const libcs = 1<<(32-1) | 1<<(33-1) // posix_spawn(3) of glibc has them ignored
	if blocked != 0 || ignored&^libcs != 0 {
		t.Error(got)
	}
}

func TestStepThatFailsIsReported(t *testing.T) {
	for _, c := range []struct {
		change func(*Program)
		want   error
	}{
		{func(p *Program) { p.Path = "/none" }, unix.ENOENT},
		{func(p *Program) { p.Dir = "/none" }, unix.ENOENT},
		{func(p *Program) { p.Path = "/etc/passwd" }, unix.EACCES},
		{func(p *Program) { p.Terminal = true }, unix.ENOTTY},
		{func(p *Program) { p.Argv[2] = strings.Repeat("x", 1<<18) }, unix.E2BIG},
		{func(p *Program) { p.Path = "a\x00b" }, unix.EINVAL},
		{func(p *Program) { p.Stdio[1] = 1 }, unix.EBADF},
	} {
		p, _ := program(t, "/bin/sh", "sh", "-c", "exit 0")
		c.change(p)
		if _, err := Start(p); !errors.Is(err, c.want) {
			t.Errorf("%v, want %v", err, c.want)
		}
	}
	for { // the children that ended
		if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != nil {
			return
		}
	}
}

// The kernel takes the terminal from a process that ends only after its parent goes on.
func TestTerminalIsFreeForTheNextProgramWhenAStartHasFailed(t *testing.T) {
	master, slave, err := tty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(master), unix.Close(slave) })
	p := &Program{Argv: []string{"true"}, Dir: "/", Stdio: [3]int{slave, slave, slave}, Terminal: true, Limits: limits.Own(), Umask: -1}
	for i := range 1000 {
		p.Path = "/nonexistent"
		if _, err := Start(p); !errors.Is(err, unix.ENOENT) {
			t.Fatalf("start %d: %v", i, err)
		}
		p.Path = "/bin/true"
		pid, err := Start(p)
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		for ended := 0; ended != pid; { // the one whose start failed as well
			if ended, err = unix.Wait4(-1, nil, 0, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}
