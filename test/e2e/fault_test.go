//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// live is a session with a terminal that waits to be disturbed.
func live(t *testing.T, u *account) *console {
	t.Helper()
	c := sshConsole(t, u)
	c.login()
	return c
}

// works asserts that the account can log in.
func works(t *testing.T, u *account) {
	t.Helper()
	ssh(t, u, "echo works").want(t, "works\n", "", 0)
}

// killed is what the ssh client makes of a shell that was killed.
const killed = 255

// lost asserts how a session ends whose container or agent is gone: one line,
// and the status of a killed shell.
func (c *console) lost(words ...string) {
	c.t.Helper()
	if status := c.wait(); status != killed {
		c.t.Errorf("status %d, want %d as of a killed shell", status, killed)
	}
	shown := c.shown()
	at := strings.LastIndex(shown, "dockersh: ")
	if at < 0 || strings.Count(shown, "dockersh: ") != 1 {
		c.t.Fatalf("want one line of dockersh, got %q", shown)
	}
	line := shown[at:]
	if strings.Count(strings.TrimSpace(line), "\n") != 0 || !strings.HasSuffix(line, "\r\n") {
		c.t.Errorf("want one whole line, got %q", line)
	}
	for _, word := range words {
		if !strings.Contains(line, word) {
			c.t.Errorf("the line %q does not say %q", line, word)
		}
	}
}

func TestBrokerKilledSessionsGoOn(t *testing.T) {
	service(t, "it is started again")
	u := newBoxed(t)
	c := live(t, u)
	back := broker.away(t, syscall.SIGKILL)
	if got := c.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	// A login now waits for the restarted broker a moment.
	answer := make(chan result, 1)
	go func() { r, _ := trySSH(u, nil, "echo waited"); answer <- r }()
	time.Sleep(300 * time.Millisecond)
	back()
	(<-answer).want(t, "waited\n", "", 0)
	works(t, u)
	if got := c.run("echo and here"); got != "and here" {
		t.Errorf("%q", got)
	}
	c.line("exit 6")
	if status := c.wait(); status != 6 {
		t.Errorf("status %d, want 6", status)
	}
}

func TestBrokerGoneIsOneLine(t *testing.T) {
	service(t, "it can be absent")
	u := newBoxed(t)
	works(t, u)
	back := broker.away(t, syscall.SIGTERM)
	r := ssh(t, u, "true")
	back()
	r.refused(t)
	if r.took > limit {
		t.Errorf("took %v", r.took)
	}
	works(t, u)
}

func TestFrontKilledHangsTheSessionUp(t *testing.T) {
	u := newBoxed(t)
	c := live(t, u)
	c.line("sleep 54321")
	eventually(t, "the command runs", func() bool { return argsRun("sleep 54321") })
	pid := processOf(t, u, front)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.wait()
	eventually(t, "the command is hung up", func() bool { return !argsRun("sleep 54321") })
	works(t, u)
}

func TestCutConnectionHangsTheSessionUp(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		cut(t, u, "-tt")
	})
	// Without a terminal sshd leaves a command running that does not write; here
	// nothing may be left.
	t.Run("pipes", func(t *testing.T) { cut(t, boxed, "-T") })
}

func cut(t *testing.T, u *account, option string) {
	t.Helper()
	mark := fmt.Sprintf("sleep %d%d", u.uid, len(t.Name()))
	c := newConsole(t, 24, 80, sshArgv(u, option, "127.0.0.1", mark+"; echo x; cat")...)
	eventually(t, "the command runs", func() bool { return argsRun(mark) })
	_ = c.cmd.Process.Kill()
	eventually(t, "the command is hung up", func() bool { return !argsRun(mark) })
}

// argsRun says whether a process with exactly this command line is alive.
func argsRun(args string) bool {
	return len(pidsOf(func(_ int, a string) bool { return a == args })) > 0
}

// processOf is the one process of that program which the account runs on the host.
func processOf(t testing.TB, u *account, program string) int {
	t.Helper()
	pids := pidsOf(func(pid int, _ string) bool {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
		return err == nil && exe == program && int(info.Sys().(*syscall.Stat_t).Uid) == u.uid
	})
	if len(pids) != 1 {
		t.Fatalf("%d processes of %s run %s, want 1", len(pids), u.name, program)
	}
	return pids[0]
}

// pidsOf finds living processes by their command line.
func pidsOf(is func(pid int, args string) bool) (pids []int) {
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

func TestAgentKilled(t *testing.T) {
	u := newBoxed(t)
	c := live(t, u)
	pid, _ := strconv.Atoi(inspect(t, u.container(t), "{{.State.Pid}}"))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	c.lost()
	works(t, u)
}

func TestContainerRemovedUnderASession(t *testing.T) {
	u := newBoxed(t)
	first, warm := live(t, u), live(t, u)
	run(t, "docker", "rm", "-f", u.container(t))
	first.lost("removed")
	warm.lost("removed")
	works(t, u)
}

func TestContainerRemovedUnderACommand(t *testing.T) {
	u := newBoxed(t)
	works(t, u)
	answer := make(chan result, 1)
	go func() { r, _ := trySSH(u, nil, "echo begun; exec sleep 2000"); answer <- r }()
	eventually(t, "the command runs", func() bool { return argsRun("sleep 2000") })
	run(t, "docker", "rm", "-f", u.container(t))
	r := <-answer
	if r.stdout != "begun\n" || r.status != killed || strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "dockersh: ") {
		t.Errorf("%q, %q, %d", r.stdout, r.stderr, r.status)
	}
	works(t, u)
}

func TestContainerStoppedUnderASession(t *testing.T) {
	u := newBoxed(t)
	first, warm := live(t, u), live(t, u)
	run(t, "docker", "stop", "-t", "5", u.container(t))
	first.lost("stopped")
	warm.lost("stopped")
	works(t, u)
}

func TestPausedContainerIsAnErrorNotAHang(t *testing.T) {
	u := newBoxed(t)
	works(t, u)
	id := u.container(t)
	run(t, "docker", "pause", id)
	r := ssh(t, u, "true")
	run(t, "docker", "unpause", id)
	r.refused(t)
	if r.took > limit {
		t.Errorf("took %v", r.took)
	}
	works(t, u)
}

func TestForeignContainerOfTheNameIsNotEntered(t *testing.T) {
	u := newBoxed(t)
	run(t, "docker", "create", "--name", u.name+"_dockersh", "busybox", "sleep", "1000")
	t.Cleanup(func() { run(t, "docker", "rm", "-f", u.name+"_dockersh") })
	ssh(t, u, "true").refused(t, u.name+"_dockersh")
	if got := inspect(t, u.name+"_dockersh", "{{.State.Status}}"); got != "created" {
		t.Errorf("it is %s now", got)
	}
}

func TestEngineStoppedWarmLoginsWork(t *testing.T) {
	u, cold := newBoxed(t), newBoxed(t)
	works(t, u)
	// Containers outlive a killed engine; a stopped one takes them along.
	engine(t, "kill")
	works(t, u)
	c := sshConsole(t, u)
	c.login()
	if got := c.run("echo $((6*7))"); got != "42" {
		t.Errorf("%q", got)
	}
	r := ssh(t, cold, "true")
	engine(t, "start")
	r.refused(t, "engine")
	if r.took > limit {
		t.Errorf("took %v", r.took)
	}
	works(t, cold)
	works(t, u)
}

func TestEngineStoppedAndStartedAgain(t *testing.T) {
	u := newBoxed(t)
	c := live(t, u)
	engine(t, "stop")
	t.Run("session", func(t *testing.T) { c.t = t; c.lost() })
	engine(t, "start")
	works(t, u)
}

func TestOutOfMemoryInASmallContainer(t *testing.T) {
	for name, image := range map[string]string{"busybox": "dsh-busybox", "debian": "dsh-debian"} {
		t.Run(name, func(t *testing.T) {
			u := newBoxed(t, "imagename = "+image, "shell = /bin/sh", "memory = 32m", "dockeropt = --memory-swap=32m")
			works(t, u)
			// A shell that takes all: it alone is killed, or all are.
			r := ssh(t, u, `exec sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'`)
			if r.status == 0 || strings.Count(r.stderr, "dockersh: ") > 1 {
				t.Errorf("%q, %d", r.stderr, r.status)
			}
			works(t, u)
			c := live(t, u)
			c.line(`exec sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'`)
			if status := c.wait(); status != killed {
				t.Errorf("status %d; %q", status, c.shown())
			}
			if !strings.Contains(c.shown(), "memory") {
				t.Errorf("no word of memory: %q", c.shown())
			}
			works(t, u)
		})
	}
}
