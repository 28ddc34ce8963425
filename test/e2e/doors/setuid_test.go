//go:build e2e

package doors

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// hostile is a script with which an unprivileged user starts the setuid shell.
const hostile = `
cd "$HOME" && umask 000
[ "$1" != nice ] || echo 1000000000 >/proc/$$/timerslack_ns # see stubborn
exec 3<>"$HOME/mine" 9<"$HOME/mine" 200<"$HOME/mine"
ulimit -S -c unlimited; ulimit -S -f 0; ulimit -S -n 64; ulimit -S -d 200000
export LD_PRELOAD=$HOME/evil.so LD_LIBRARY_PATH=$HOME LD_AUDIT=$HOME/evil.so GCONV_PATH=$HOME LOCPATH=$HOME NLSPATH=$HOME
export GODEBUG=inittrace=1 GOTRACEBACK=crash GOGC=off GOMAXPROCS=1
export DOCKER_HOST=unix://$HOME/evil.sock DOCKER_CONFIG=$HOME DOCKER_CONTEXT=evil XDG_CONFIG_HOME=$HOME XDG_RUNTIME_DIR=$HOME
export PATH=$HOME/bin:/usr/bin:/bin TMPDIR=$HOME HOSTALIASES=$HOME/mine TZ=:$HOME/mine
export BASH_ENV=$HOME/evil.sh ENV=$HOME/evil.sh IFS=x SHELL=/bin/bash USER=root LOGNAME=root LISTEN_FDS=1 LISTEN_PID=$$
exec -a --privileged "$@"
`

// stubborn sets on its process what threads inherit: see front/discard.c.
var stubborn = []string{"nice", "-n", "19", "chrt", "-i", "0", "ionice", "-c", "3", "taskset", "-c", "0", "setarch", "--uname-2.6", "perl", "-e", `
	use POSIX; my $all = POSIX::SigSet->new; $all->fillset; sigprocmask(SIG_BLOCK, $all);
	$SIG{$_} = "IGNORE" for qw(HUP INT TSTP PIPE CHLD); exec { $ARGV[0] } "--privileged", @ARGV[1 .. $#ARGV]`}

// oneShot returns the broker of a front: its child, or the program that this became.
func oneShot(t testing.TB, front int) (pid int) {
	t.Helper()
	e2e.Eventually(t, "the front has a broker", func() bool {
		pid = childOf(front, "dockershd")
		return pid != 0
	})
	return pid
}

func childOf(parent int, word string) int {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		f := e2e.ProcStat(path)
		if len(f) > 2 && f[1] == strconv.Itoa(parent) {
			args, _ := os.ReadFile(filepath.Dir(path) + "/cmdline")
			if strings.Contains(string(args), word) {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
				return pid
			}
		}
	}
	return 0
}

// startHostile runs the script and waits for the session. The words of by start the
// shell.
func startHostile(t testing.TB, u *e2e.Account, by ...string) *exec.Cmd {
	t.Helper()
	u.WriteFile(t, "mine", "secret", 0o666)
	// A root process that looks for programs in PATH leaves a trace.
	for _, name := range []string{"docker", "getent", "dockershd", "sh"} {
		u.WriteFile(t, "bin/"+name, "#!/bin/sh\nid >>"+u.Home+"/ran\n", 0o755)
	}
	u.WriteFile(t, "evil.sh", "id >>"+u.Home+"/ran\n", 0o755)
	cmd, said := startWaiting(t, u, slices.Concat([]string{"/bin/bash", "-c", hostile, "hostile"}, by, []string{e2e.SetuidShell(t), "-c", "id -u; read x"}))
	if said != strconv.Itoa(u.UID)+"\n" {
		t.Fatalf("%q", said)
	}
	return cmd
}

// startWaiting starts a command that prints a line and then waits for its input.
func startWaiting(t testing.TB, u *e2e.Account, argv []string) (cmd *exec.Cmd, said string) {
	t.Helper()
	cmd = e2e.AsUser(u, argv...)
	var errs strings.Builder
	cmd.Stderr = &errs
	in, out := e2e.StartPiped(t, cmd)
	t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	said, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_, _ = cmd.Process.Kill(), cmd.Wait()
		t.Fatalf("%q %v %s", said, err, errs.String())
	}
	return cmd, said
}

// Each check was seen to fail: if the front passes on the environment, a descriptor from 3
// up, its own 0 to 2, its directory, its session or its argv[0]; if it finds the broker by
// PATH, starts it with the user's real uid or groups, makes the socket as root, or keeps
// root, wholly or as the saved uid; and if the broker keeps limits, cores, umask,
// niceness, scheduling, I/O class, personality, timer slack, or blocked or ignored signals.
// For processors see test/front.
func TestSetuidBrokerInheritsNothingFromItsUser(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	const session, full = e2e.Prefix + "/libexec/dockershd-session\x00", e2e.Prefix + "/sbin/dockershd\x00--one-shot\x00"
	t.Run("once", func(t *testing.T) { checkInheritsNothing(t, e2e.NewAccount(t, "/bin/bash"), full) })
	u := e2e.NewAccount(t, "/bin/bash")
	t.Run("with all that threads inherit", func(t *testing.T) { checkInheritsNothing(t, u, full, stubborn...) })
	t.Run("without an engine", func(t *testing.T) { checkInheritsNothing(t, u, session, stubborn...) })
}

func checkInheritsNothing(t *testing.T, u *e2e.Account, program string, by ...string) {
	cmd := startHostile(t, u, by...)
	pid := oneShot(t, cmd.Process.Pid)
	proc := "/proc/" + strconv.Itoa(pid)
	if args, _ := os.ReadFile(proc + "/cmdline"); string(args) != program {
		t.Errorf("command line %q", args)
	}
	if env, err := os.ReadFile(proc + "/environ"); err != nil || len(env) != 0 && string(env) != "GOMAXPROCS=1\x00" {
		t.Errorf("environment %q, %v", env, err)
	}
	if cwd, _ := os.Readlink(proc + "/cwd"); cwd != "/" {
		t.Errorf("working directory %s", cwd)
	}
	fds, _ := filepath.Glob(proc + "/fd/*")
	for _, fd := range fds {
		to, _ := os.Readlink(fd)
		if strings.HasPrefix(to, e2e.Homes) || strings.HasPrefix(to, "pipe:") && filepath.Base(fd) < "3" {
			t.Errorf("%s is %s", fd, to)
		}
	}
	if len(fds) == 0 {
		t.Error("no descriptors seen")
	}
	e2e.Eventually(t, "the broker blocks and ignores none of the signals that its user did", func() bool {
		status, _ := os.ReadFile(proc + "/status")
		return strings.Contains(string(status), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n")
	})
	for argv, want := range map[string]string{"chrt -p": "SCHED_OTHER", "ionice -p": "none: ", "cat " + proc + "/personality #": "00000000\n", "cat " + proc + "/timerslack_ns #": "50000\n"} {
		if out, err := exec.Command("sh", "-c", argv+" "+strconv.Itoa(pid)).CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %q %v", argv, out, err)
		}
	}
	f := e2e.ProcStat(proc + "/stat")
	if f[3] != strconv.Itoa(pid) || f[4] != "0" || f[16] != "0" {
		t.Errorf("session %s, terminal %s, niceness %s of process %d", f[3], f[4], f[16], pid)
	}
	limits, _ := os.ReadFile(proc + "/limits")
	for _, want := range []string{"Max core file size        0 ", "Max file size             unlimited", "Max data size             unlimited"} {
		if !strings.Contains(string(limits), want) {
			t.Errorf("no %q in\n%s", want, limits)
		}
	}
	status, _ := os.ReadFile(proc + "/status")
	for _, want := range []string{"Uid:\t0\t0\t0\t0", "Gid:\t0\t0\t0\t0", "Groups:\t \n", "Umask:\t0022"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("no %q in\n%s", want, status)
		}
	}
	if ran, err := os.ReadFile(u.Home + "/ran"); err == nil {
		t.Errorf("root ran a program of the user: %s", ran)
	}
	// The front has nothing of root.
	status, _ = os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	id := strconv.Itoa(u.UID)
	for _, want := range []string{"Uid:\t" + strings.Join([]string{id, id, id, id}, "\t"), "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("the front: no %q in\n%s", want, status)
		}
	}
}

// It fails if the broker has the user's real uid, or stays after its front. For what can be
// read see TestSetuidSessionIsClosedToTheUsersOtherProcesses.
func TestUserCannotTouchTheSetuidBroker(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewAccount(t, "/bin/bash")
	cmd := startHostile(t, u)
	pid := oneShot(t, cmd.Process.Pid)
	for _, script := range []string{"kill -KILL %d", "kill -STOP %d", "renice 19 %d", "prlimit --pid %d --nofile=8"} {
		script = fmt.Sprintf(script, pid)
		if out, err := e2e.AsUser(u, "/bin/bash", "-c", script).CombinedOutput(); err == nil {
			t.Errorf("%s: %s", script, out)
		}
	}
	_ = cmd.Process.Kill()
	e2e.Eventually(t, "the broker ends with its front", func() bool { return syscall.Kill(pid, 0) != nil || zombie(pid) })
}

func zombie(pid int) bool {
	f := e2e.ProcStat("/proc/" + strconv.Itoa(pid) + "/stat")
	return len(f) == 0 || f[0] == "Z"
}

// strangeStarts are ways to start the setuid shell. Each soon ends in a session or an
// error, and leaves no root files.
var strangeStarts = []string{
	`"$0" -c true 0<&-`, `"$0" -c true 1>&-`, `"$0" -c true 2>&-`, `"$0" -c true 0<&- 1>&- 2>&-`, `"$0" -c true 0<&- 2>&-`,
	`exec -a "" "$0" -c true`, `exec -a -dockersh "$0" -c true`, `exec -a -- "$0" -c true`, `exec -a /bin/sh "$0" -c true`,
	`exec -a --one-shot "$0" -c true`, `"$0" --one-shot`, `"$0" --privileged`,
	`ulimit -n 0; exec "$0" -c true`, `ulimit -n 1; exec "$0" -c true`, `ulimit -n 4; exec "$0" -c true`, `ulimit -n 7; exec "$0" -c true`,
	`ulimit -u 0; exec "$0" -c true`, `ulimit -u 1; exec "$0" -c true`, `ulimit -f 0; exec "$0" -c true`, `ulimit -t 0; exec "$0" -c true`,
	`ulimit -v 1; exec "$0" -c true`, `ulimit -v 100000; exec "$0" -c true`, `ulimit -d 0; exec "$0" -c true`, `ulimit -s 1; exec "$0" -c true`, `ulimit -s 100; exec "$0" -c true`,
	`ulimit -l 0; exec "$0" -c true`, `ulimit -i 0; exec "$0" -c true`, `ulimit -c unlimited; exec "$0" -c 'kill -SEGV $$'`,
	`for i in $(seq 3 63); do eval "exec $i</dev/null"; done; ulimit -n 64; exec "$0" -c true`,
	`trap "" HUP INT QUIT PIPE TERM CHLD ALRM USR1; exec "$0" -c true`,
	`exec perl -e '$SIG{CHLD}="IGNORE"; exec @ARGV' "$0" -c true`,
	`exec perl -e 'alarm 1; exec @ARGV' "$0" -c 'sleep 2'`,
	`exec setsid -w "$0" -c true`, `exec unshare -U -r "$0" -c true`, `exec unshare -U -r -m "$0" -c true`,
	`exec setpriv --no-new-privs "$0" -c true`, `exec env -i "$0" -c true`, `"$0" -c true & sleep 0.01; kill -STOP $!; sleep 0.1; kill -KILL $!; wait`,
	`ln -sf "$0" ./x; exec ./x -c true`, `exec /lib64/ld-linux-x86-64.so.2 "$0" -c true`, `cp "$0" ./y; exec ./y -c true`,
}

// It fails if the front makes a file before it has given root up, passes its own output to
// the broker, or waits for threads that RLIMIT_SIGPENDING denies it.
func TestStrangeStartsOfTheSetuidShellLeaveNoRootFiles(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u := e2e.NewAccount(t, "/bin/bash")
	shell := e2e.SetuidShell(t)
	works := e2e.AsUser(u, shell, "-c", "echo works")
	if out, err := works.CombinedOutput(); string(out) != "works\n" {
		t.Fatalf("%q %v", out, err)
	}
	before := rootFiles(t)
	for _, script := range strangeStarts {
		cmd := e2e.AsUser(u, "/usr/bin/timeout", "-k", "1", "60", "/bin/bash", "-c", "cd; "+script, shell)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		start := time.Now()
		_ = cmd.Run()
		if took := time.Since(start); took > e2e.Limit || cmd.ProcessState.ExitCode() == 124 {
			t.Errorf("%s: took %v: %s", script, took, out.String())
		}
		if strings.Contains(out.String(), "goroutine ") {
			t.Errorf("%s: shows its insides: %s", script, out.String())
		}
	}
	checkNothingLeft(t, u, before)
}

// rootFiles describes what a user must not be able to change: everything in /etc and in
// our own directories.
func rootFiles(t testing.TB) map[string]string {
	t.Helper()
	seen := map[string]string{}
	for _, top := range []string{"/etc", e2e.Prefix, e2e.RunDir} {
		_ = filepath.Walk(top, func(path string, info os.FileInfo, err error) error {
			if err != nil || strings.HasPrefix(path, e2e.RunDir+"/") && strings.Count(path, "/") > 3 {
				return nil // just removed, or the state of a container
			}
			text := info.Mode().String()
			if info.Mode().IsRegular() {
				text += fmt.Sprint(info.Size(), info.ModTime())
			}
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				text += fmt.Sprint(" ", st.Uid, ":", st.Gid)
			}
			seen[path] = text
			return nil
		})
	}
	return seen
}

// checkNothingLeft compares root's files with those before, and looks for files in the
// user's home that belong to others and for brokers without a front.
func checkNothingLeft(t testing.TB, u *e2e.Account, before map[string]string) {
	t.Helper()
	e2e.Eventually(t, "no broker is left", func() bool {
		left, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, path := range left {
			if args, _ := os.ReadFile(path); e2e.IsOneShot(string(args)) && !ofOthers(path, u) {
				return false
			}
		}
		return true
	})
	for path, was := range before {
		if info, err := os.Lstat(path); err != nil {
			t.Errorf("%s is gone", path)
		} else if info.Mode().IsRegular() && !strings.Contains(was, fmt.Sprint(info.Size(), info.ModTime())) {
			t.Errorf("%s was changed", path)
		}
	}
	for path := range rootFiles(t) {
		if _, ok := before[path]; !ok {
			t.Errorf("%s is new", path)
		}
	}
	_ = filepath.Walk(u.Home, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != uint32(u.UID) {
			t.Errorf("%s belongs to %d", path, info.Sys().(*syscall.Stat_t).Uid)
		}
		if strings.HasPrefix(filepath.Base(path), "core") {
			t.Errorf("there is a core file: %s", path)
		}
		return nil
	})
}

// ofOthers reports whether a broker serves a living front of another account.
func ofOthers(cmdline string, u *e2e.Account) bool {
	f := e2e.ProcStat(filepath.Dir(cmdline) + "/stat")
	if len(f) < 2 {
		return true // it has just ended
	}
	status, _ := os.ReadFile("/proc/" + f[1] + "/status")
	return f[1] != "1" && !strings.Contains(string(status), "Uid:\t"+strconv.Itoa(u.UID)+"\t")
}

// It fails if the front does not check the program that it starts as root.
func TestSetuidShellStartsNoBrokerThatOthersCanWrite(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u, shell := e2e.NewAccount(t, "/bin/bash"), e2e.SetuidShell(t)
	for _, program := range []string{e2e.Prefix + "/libexec/dockershd-session", e2e.Prefix + "/sbin/dockershd"} {
		whole := func() { e2e.OnHost(t, "chown", "0:0", program); e2e.OnHost(t, "chmod", "755", program) }
		t.Cleanup(whole)
		for want, spoils := range map[string][][]string{
			program + " can be written by others than root": {{"chmod", "757", program}, {"chmod", "775", program}},
			program + " does not belong to root":            {{"chown", u.Name, program}},
		} {
			for _, spoil := range spoils {
				whole()
				e2e.OnHost(t, spoil...)
				out, err := e2e.AsUser(u, shell, "-c", "true").CombinedOutput()
				if e2e.ExitStatus(err) != 255 || !strings.Contains(string(out), want) {
					t.Errorf("%v: %v %q", spoil, err, out)
				}
			}
		}
		whole()
	}
}
