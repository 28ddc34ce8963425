package mounts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
)

// A process 1 that a user wrote moves, in one system call, into namespaces in which a
// directory of the host is the root. However that falls, either the root that is opened is
// the container's, or there is an error.
func TestRootIsTheContainersWhenProcessOneMovesAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be more than one user")
	}
	const user = 4000
	var real unix.Stat_t
	if err := unix.Stat("/", &real); err != nil {
		t.Fatal(err)
	}
	prepared := preparedNamespaces(t, user)
	refused := 0
	for n := range 60 {
		pid := mover(t, user, prepared, 1000+150*n)
		for {
			root, users, _, err := OpenRoot(&engine.Container{Pid: pid, Root: "/proc/" + strconv.Itoa(pid) + "/root"})
			if err != nil {
				refused++
				break
			}
			mine, err := root.Has("/", "/")
			_ = root.Close()
			if err != nil || !mine || !users.Same {
				t.Fatalf("after %d processes the root is a directory of the host: %+v %v", n, users, err)
			}
		}
	}
	if refused == 0 {
		t.Error("no process has moved")
	}
}

// preparedNamespaces returns a descriptor of a process of the user whose namespaces have
// another root.
func preparedNamespaces(t *testing.T, user uint32) int {
	t.Helper()
	dir, err := os.MkdirTemp("", "root")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chown(dir, int(user), int(user)); err != nil {
		t.Fatal(err)
	}
	const script = `mount --bind "$0" "$0" && cd "$0" && mkdir old && pivot_root . old && echo ready > /ready && while :; do :; done`
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}, Pdeathsig: syscall.SIGKILL}
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	for end := time.Now().Add(10 * time.Second); ; {
		if _, err := os.Stat(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "root", "ready")); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the namespaces are not ready")
		}
		select {
		case <-ended:
			if strings.HasPrefix(said.String(), "unshare: unshare failed") {
				t.Skip("the kernel lets users make no namespaces")
			}
			t.Fatal(said.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return fd
}

// mover starts a process of the user that moves into the namespaces of another one after
// some turns of a loop. It has one thread, as setns(2) asks for: a fork, without exec.
func mover(t *testing.T, user uint32, namespaces int, turns int) (pid int) {
	t.Helper()
	r, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	if pid = int(r); pid != 0 {
		t.Cleanup(func() { _ = unix.Kill(pid, unix.SIGKILL); _, _ = unix.Wait4(pid, nil, 0, nil) })
		return pid
	}
	move(uintptr(user), uintptr(namespaces), turns)
	return 0 // not reached
}

//go:norace
//go:nosplit
func move(user, namespaces uintptr, turns int) {
	syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0)
	syscall.RawSyscall(unix.SYS_SETRESGID, user, user, user)
	syscall.RawSyscall(unix.SYS_SETRESUID, user, user, user)
	for range turns {
		syscall.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	}
	syscall.RawSyscall(unix.SYS_SETNS, namespaces, unix.CLONE_NEWUSER|unix.CLONE_NEWNS, 0)
	for {
		syscall.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0) // for ever
	}
}
