package sys

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	discardArg = "discard-inherited"
	cgroupMark = "in cgroups:\n"
)

// discardMain is a root process that a user started.
func discardMain() {
	if err := DiscardInherited(); err != nil {
		fmt.Println(err)
		return
	}
	// What its child processes inherit.
	out, _ := exec.Command("/bin/sh", "-c", `grep -E "SigBlk|SigIgn" /proc/self/status; ulimit -Sn; ulimit -Ss
		/usr/bin/chrt -p $$; /usr/bin/ionice -p $$; nice; uname -r; /usr/bin/taskset -p $$; cat /proc/$$/timerslack_ns; env`).CombinedOutput()
	cgroups, _ := os.ReadFile("/proc/self/cgroup")
	fmt.Printf("%s%q\n%s%s", out, os.Environ(), cgroupMark, cgroups)
}

// change changes all attributes of a process that a user can, and then runs the words
// behind it.
var change = []string{"/usr/bin/setarch", "--uname-2.6", "/usr/bin/chrt", "-i", "0", "/usr/bin/ionice", "-c", "3", "/usr/bin/taskset", "-c", "0", "/usr/bin/nice", "-n", "19",
	"/usr/bin/perl", "-e", `use POSIX;
		my $all = POSIX::SigSet->new; $all->fillset; sigprocmask(SIG_BLOCK, $all);
		$SIG{$_} = "IGNORE" for qw(HUP INT TSTP PIPE CHLD);
		exec "/bin/sh", "-c", q(echo 1000000000 >/proc/$$/timerslack_ns; ulimit -Sn 64; ulimit -Ss 1000; exec "$0" "$@"), @ARGV`}

func TestRootProcessKeepsNothingThatItInheritedFromAUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can undo all of it")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	start := func(argv ...string) string {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "OF=the user"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	out := start(append(change, self, discardArg)...)
	for _, want := range []string{"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", "\n8192\n", "SCHED_OTHER", "\nnone: prio", "\n0\n" + unix.ByteSliceToString(u.Release[:]) + "\n", "\n50000\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, bad := range []string{"\n64\n", "the user"} {
		if strings.Contains(out, bad) {
			t.Errorf("%q in\n%s", bad, out)
		}
	}
	processors := func(s string) string { _, s, _ = strings.Cut(s, "mask:"); s, _, _ = strings.Cut(s, "\n"); return s }
	if got, want := processors(out), processors(start("/usr/bin/taskset", "-p", "1")); got != want || want == "" {
		t.Errorf("processors %q, those of init are %q", got, want)
	}
}

// Kernels that report this priority for all threads would start each broker twice.
func TestUsualDiskPriorityIsNotReset(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	for ioprio, want := range map[uintptr]bool{2<<13 | 4: false, 2<<13 | 7: true, 3 << 13: true} {
		if _, _, errno := unix.RawSyscall(unix.SYS_IOPRIO_SET, 1, 0, ioprio); errno != 0 {
			t.Fatal(errno)
		}
		if got := resetDiskPriority(); got != want {
			t.Errorf("%#x: changed is %v", ioprio, got)
		}
	}
}

// systemd gives users cgroups of their own.
func TestRootProcessLeavesTheCgroupOfAUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make cgroups for others")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, controllers := range []string{"", "freezer"} {
		outer := hierarchy(controllers) + "/dockersh-test-" + strconv.Itoa(os.Getpid())
		inner := outer + "/user"
		if err := os.Mkdir(outer, 0o755); err != nil {
			t.Logf("no cgroups of %q here: %v", controllers, err)
			continue
		}
		t.Cleanup(func() { _, _ = os.Remove(inner), os.Remove(outer) })
		if err := os.Mkdir(inner, 0o755); err != nil {
			t.Fatal(err)
		}
		run := func() string {
			out, err := exec.Command("/bin/sh", "-c", `echo $$ >"$0/cgroup.procs" && exec "$@"`, inner, self, discardArg).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			_, cgroups, _ := strings.Cut(string(out), cgroupMark)
			return cgroups
		}
		if out := run(); !strings.Contains(out, inner[len(hierarchy(controllers)):]+"\n") {
			t.Errorf("it has left a cgroup of root: %s", out)
		}
		if err := os.Chown(inner, 4000, 4000); err != nil {
			t.Fatal(err)
		}
		if out := run(); strings.Contains(out, inner[len(hierarchy(controllers)):]) {
			t.Errorf("it is in the cgroup of the user: %s", out)
		}
	}
}
