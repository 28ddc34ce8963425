package idmap

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/internal/host/proc"
)

func TestOutReturnsTheNumberOutside(t *testing.T) {
	r := Ranges{{0, 200000, 1000}, {1000, 1000, 1}, {1001, 201001, 10}}
	for in, want := range map[uint32]uint32{0: 200000, 999: 200999, 1000: 1000, 1001: 201001, 1010: 201010} {
		if out, ok := r.Out(in); !ok || out != want {
			t.Errorf("%d is %d (%v) outside, want %d", in, out, ok, want)
		}
	}
	for _, in := range []uint32{1011, 65534, 1<<32 - 1} {
		if out, ok := r.Out(in); ok {
			t.Errorf("%d is %d outside, want none", in, out)
		}
	}
}

func TestMapIsReadAsTheKernelWritesIt(t *testing.T) {
	r, err := parse("         0     200000      65536\n     65536          5          1\n")
	if want := (Ranges{{0, 200000, 65536}, {65536, 5, 1}}); err != nil || !slices.Equal(r, want) {
		t.Errorf("%v %v, want %v", r, err, want)
	}
	for _, bad := range []string{"0 1\n", "0 1 2 3\n", "a 1 2\n", "0 -1 2\n", "0 4294967296 1\n"} {
		if r, err := parse(bad); err == nil {
			t.Errorf("%q gave %v", bad, r)
		}
	}
}

func of(t *testing.T, pid int) (Map, error) {
	t.Helper()
	p, err := proc.Hold(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return Of(p)
}

func TestOwnNamespaceIsTheSame(t *testing.T) {
	m, err := of(t, os.Getpid())
	if out, ok := m.Users.Out(70000); err != nil || !m.Same || !ok || out != 70000 {
		t.Errorf("%+v %v", m, err)
	}
}

// sleeper is a process in a user namespace that creator made, in which it calls
// itself 1234.
func sleeper(t *testing.T, creator uint32) int {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be more than one user")
	}
	cmd := exec.Command("unshare", "--user", "--map-user=1234", "sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: creator, Gid: creator}, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

// settled waits until the process has made its namespace.
func settled(t *testing.T, pid int) (Map, error) {
	t.Helper()
	for {
		m, err := of(t, pid)
		if err != nil || !m.Same && len(m.Users) > 0 {
			return m, err
		}
		if t.Context().Err() != nil {
			t.Fatal("the namespace was never made")
		}
	}
}

func TestNamespaceOfTheEngineIsAccepted(t *testing.T) {
	m, err := settled(t, sleeper(t, 0))
	if err != nil || !slices.Equal(m.Users, Ranges{{1234, 0, 1}}) {
		t.Errorf("%+v %v", m, err)
	}
}

func TestNamespaceOfAnotherMakerIsRefused(t *testing.T) {
	// In it user 4000 has the number 1234, and would be taken for that user.
	if m, err := settled(t, sleeper(t, 4000)); !errors.Is(err, ErrNested) {
		t.Errorf("%+v %v", m, err)
	}
}

// Root in a container has root's number for the kernel, too.
func TestNamespaceThatRootMadeInsideIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make pid namespaces")
	}
	const inside = "exec unshare --user --map-user=1234 sleep 60"
	cmd := exec.Command("unshare", "--pid", "--fork", "--kill-child", "sh", "-c", inside)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for t.Context().Err() == nil {
		children, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/task/" + strconv.Itoa(cmd.Process.Pid) + "/children")
		if err != nil {
			t.Fatal(err)
		}
		child, err := strconv.Atoi(strings.TrimSpace(string(children)))
		if err != nil {
			continue // not forked yet
		}
		if m, err := of(t, child); err != nil || !m.Same {
			if !errors.Is(err, ErrNested) {
				t.Errorf("%+v %v", m, err)
			}
			return
		}
	}
}
