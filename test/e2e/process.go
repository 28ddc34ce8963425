package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Bridge is the program that carries a session over the engine's exec, or to a
// recording.
const Bridge = Prefix + "/libexec/dockersh-bridge"

// Bridges returns the processes that run it.
func Bridges() []int { return pidsOfProgram(Bridge) }

func pidsOfProgram(path string) []int {
	return PidsOf(func(pid int, _ string) bool {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		return exe == path
	})
}

// BridgeHasOnly checks that the only bridge has nothing open but its session and these
// files.
func BridgeHasOnly(t *testing.T, files ...string) {
	t.Helper()
	pids := Bridges()
	if len(pids) != 1 {
		t.Fatalf("%d bridges", len(pids))
	}
	proc := fmt.Sprintf("/proc/%d/", pids[0])
	if env, err := os.ReadFile(proc + "environ"); err != nil || len(env) > 0 {
		t.Errorf("environment %q, %v", env, err)
	}
	if cwd, _ := os.Readlink(proc + "cwd"); cwd != "/" {
		t.Errorf("directory %s", cwd)
	}
	fds, _ := os.ReadDir(proc + "fd")
	pipes := 0
	for _, fd := range fds {
		to, _ := os.Readlink(proc + "fd/" + fd.Name())
		switch {
		case slices.Contains(files, to):
		case strings.HasPrefix(to, "pipe:") && pipes == 0: // of a terminal's output, the end that is written to
			pipes++
		case strings.HasPrefix(to, "socket:"), strings.HasPrefix(to, "anon_inode:"), to == "/dev/null", strings.HasPrefix(to, "/dev/pts/"),
			strings.HasPrefix(to, "/sys/fs/cgroup/"), // Go's runtime: how many processors it may use
			strings.HasSuffix(to, "/dockershd.log"):
		default:
			t.Errorf("descriptor %s is %s", fd.Name(), to)
		}
	}
}

// ownerOf returns the real uid of a process, -1 when it has ended.
func ownerOf(pid string) int {
	data, _ := os.ReadFile("/proc/" + pid + "/status")
	_, rest, _ := strings.Cut(string(data), "\nUid:\t")
	id, _, _ := strings.Cut(rest, "\t")
	n, err := strconv.Atoi(id)
	if err != nil {
		return -1
	}
	return n
}

// CommandRuns reports whether a process with exactly this command line is alive.
func CommandRuns(args string) bool {
	return len(PidsOf(func(_ int, a string) bool { return a == args })) > 0
}

// ProcessOf returns the only process of a program that the account runs on the host.
func ProcessOf(t testing.TB, u *Account, program string) int {
	t.Helper()
	pids := PidsOf(func(pid int, _ string) bool {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
		return err == nil && exe == program && int(info.Sys().(*syscall.Stat_t).Uid) == u.UID
	})
	if len(pids) != 1 {
		t.Fatalf("%d processes of %s run %s, want 1", len(pids), u.Name, program)
	}
	return pids[0]
}

// PidsOf returns the living processes for which is returns true. args is the command
// line, its words separated by spaces.
func PidsOf(is func(pid int, args string) bool) (pids []int) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		data, err := os.ReadFile(dir + "/cmdline")
		if err != nil || len(data) == 0 {
			continue // a zombie has none
		}
		if is(pid, strings.ReplaceAll(strings.TrimRight(string(data), "\x00"), "\x00", " ")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// SSHDsOf returns the processes of sshd that serve an account. Since OpenSSH 9.8 they have a
// program of their own.
func SSHDsOf(u *Account) []int {
	return PidsOf(func(_ int, args string) bool {
		name, title, _ := strings.Cut(args, ": ")
		return (name == "sshd" || name == "sshd-session") && strings.HasPrefix(title, u.Name+"@")
	})
}

// ProcStat returns the fields of a /proc/PID/stat after the name: state, parent,
// group, session, terminal and so on.
func ProcStat(path string) []string {
	data, _ := os.ReadFile(path)
	_, rest, _ := strings.Cut(string(data), ") ")
	return strings.Fields(rest)
}
