//go:build e2e

package doors

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/test/e2e"
)

// A front that has given root up is a process of its user, who has other processes. These
// must not see what root left in it: the kernel closes a program that was setuid to them
// (PR_SET_DUMPABLE in prctl(2), ptrace(2)). The broker is closed to them as well.
func TestSetuidSessionIsClosedToTheUsersOtherProcesses(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewAccount(t, "/bin/bash")
	if refused := refusedTo(t, u, ownChild); len(refused) != 0 {
		t.Fatalf("a plain process is closed to its own user, so this test proves nothing: %q", refused)
	}
	front := startHostile(t, u).Process.Pid
	for what, pid := range map[string]int{"front": front, "broker": oneShot(t, front)} {
		refused := refusedTo(t, u, pid)
		for _, way := range waysIn {
			if !slices.Contains(refused, way.name) {
				t.Errorf("the %s is open to %s", what, way.name)
			}
		}
	}
}

// Where the kernel does not close it (fs.suid_dumpable = 1), it matters that a setuid front
// has nothing more open than one that never was root.
func TestSetuidFrontHasNoMoreDescriptorsThanTheServicesFront(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "they are compared")
	u := e2e.NewAccount(t, "/bin/bash")
	var open [2][]string
	for i, shell := range []string{e2e.Front, e2e.SetuidShell(t)} {
		cmd, _ := startWaiting(t, u, []string{shell, "-c", "id -u; read x"})
		open[i] = openIn(t, cmd.Process.Pid)
	}
	if len(open[0]) < 5 || !slices.Equal(open[0], open[1]) {
		t.Errorf("through the service %q\nthrough the setuid bit %q", open[0], open[1])
	}
}

// openIn returns what a process has open. Sockets and pipes stand without their numbers,
// which always differ.
func openIn(t *testing.T, pid int) (open []string) {
	t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(to, ":[")
		open = append(open, kind)
	}
	slices.Sort(open)
	return open
}

// ownChild stands for a plain process of the user.
const ownChild = 0

// refusedTo has a process of the user try all ways into another process, and returns those
// that were refused.
func refusedTo(t *testing.T, u *e2e.Account, pid int) []string {
	t.Helper()
	out := asAttacker(t, u, "reach", pid)
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")[1:]
}

// asAttacker runs an attacker that ends by itself, and returns its output.
func asAttacker(t *testing.T, u *e2e.Account, name string, pid int) string {
	t.Helper()
	cmd := e2e.AsUser(u, "/proc/self/exe")
	cmd.Env = []string{"APART=" + os.Getenv("APART"), "ATTACK=" + name, "PID=" + strconv.Itoa(pid)}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// reach is an attacker. It prints which ways were refused, one a line. It is an error if
// one fails otherwise.
func reach() error {
	runtime.LockOSThread() // ptrace(2) belongs to a thread
	pid := count(os.Getenv("PID"))
	if pid == ownChild {
		cmd := exec.Command("/bin/sleep", "1000")
		if err := cmd.Start(); err != nil {
			return err
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		pid = cmd.Process.Pid
	}
	fmt.Println("refused:")
	for _, way := range waysIn {
		err := way.try(pid, fmt.Sprintf("/proc/%d/", pid))
		switch {
		case errors.Is(err, os.ErrPermission):
			fmt.Println(way.name)
		case err != nil:
			return fmt.Errorf("%s: %w", way.name, err)
		}
	}
	return nil
}

// The kernel ignores the setuid bit of a program that its user traces from the start
// (execve(2)): the shell goes through the service.
func TestTracedSetuidShellIsNotRoot(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "a traced shell goes through it")
	u := e2e.NewAccount(t, "/bin/bash")
	e2e.SetuidShell(t)
	id := strconv.Itoa(u.UID)
	want := strings.Join([]string{"Uid:", id, id, id, id}, "\t") + "\nworks\n"
	if said := asAttacker(t, u, "trace", 0); said != want {
		t.Errorf("%q, want %q", said, want)
	}
}

// trace is an attacker. It prints the uids of the traced shell, and lets it go.
func trace() error {
	runtime.LockOSThread()
	p, err := os.StartProcess(e2e.Front+"-setuid", []string{"dockersh", "-c", "echo works"},
		&os.ProcAttr{Dir: "/", Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Ptrace: true}})
	if err != nil {
		return err
	}
	if _, err := syscall.Wait4(p.Pid, nil, syscall.WALL, nil); err != nil {
		return err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	if err != nil {
		return err
	}
	_, uids, _ := strings.Cut(string(status), "\nUid:")
	uids, _, _ = strings.Cut(uids, "\n")
	fmt.Println("Uid:" + uids)
	if err := syscall.PtraceDetach(p.Pid); err != nil {
		return err
	}
	state, err := p.Wait()
	if err == nil && !state.Success() {
		err = errors.New(state.String())
	}
	return err
}

// waysIn are the ways into another process.
var waysIn = [...]struct {
	name string
	try  func(pid int, proc string) error
}{
	{"ptrace", func(pid int, _ string) error {
		if err := syscall.PtraceAttach(pid); err != nil {
			return err
		}
		_, err := syscall.Wait4(pid, nil, syscall.WALL, nil)
		if err == nil {
			err = syscall.PtraceDetach(pid)
		}
		return err
	}},
	{"process_vm_readv", func(pid int, _ string) error {
		// The kernel checks the right before the address.
		var b [1]byte
		_, err := unix.ProcessVMReadv(pid, []unix.Iovec{{Base: &b[0], Len: 1}}, []unix.RemoteIovec{{Base: 1, Len: 1}}, 0)
		if err == unix.EFAULT {
			err = nil
		}
		return err
	}},
	{"pidfd_getfd", func(pid int, _ string) error {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		got, err := unix.PidfdGetfd(fd, 0, 0)
		if err == nil {
			err = unix.Close(got)
		}
		return err
	}},
	{"mem", func(_ int, proc string) error { return opens(proc + "mem") }},
	{"environ", func(_ int, proc string) error { return opens(proc + "environ") }},
	{"auxv", func(_ int, proc string) error { return opens(proc + "auxv") }},
	{"maps", func(_ int, proc string) error { return opens(proc + "maps") }},
	{"the list of descriptors", func(_ int, proc string) error { _, err := os.ReadDir(proc + "fd"); return err }},
	{"a descriptor", func(_ int, proc string) error { _, err := os.Readlink(proc + "fd/0"); return err }},
	{"cwd", func(_ int, proc string) error { _, err := os.Readlink(proc + "cwd"); return err }},
	{"root", func(_ int, proc string) error { _, err := os.Readlink(proc + "root"); return err }},
	{"exe", func(_ int, proc string) error { _, err := os.Readlink(proc + "exe"); return err }},
}

func opens(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}
