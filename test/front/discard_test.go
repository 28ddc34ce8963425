package front_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// change changes all attributes of a process that a user can, as a script that starts "$@". With
// less address space the sanitizers do not start.
const change = `echo 1000000000 >/proc/$$/timerslack_ns && echo 500 >/proc/$$/oom_score_adj
	ulimit -Sv 40000000000; ulimit -Sn 64; ulimit -Ss 1000; ulimit -Sc unlimited; ulimit -St 100; ulimit -Sf 1000; ulimit -Sp 5000; ulimit -Sl 32
	exec setarch --uname-2.6 chrt -b 0 ionice -c 3 taskset -c 0 nice -n 19 "${1%/*}/change-more" /usr/bin/perl -e '
		use POSIX; my $all = POSIX::SigSet->new; $all->fillset; sigprocmask(SIG_BLOCK, $all);
		$SIG{$_} = "IGNORE" for qw(HUP INT TSTP PIPE CHLD RT_32);
		exec { $ARGV[0] } @ARGV' "$@"`

// changeMore changes attributes for which there is no command, and becomes the program in its
// arguments.
func changeMore() {
	runtime.LockOSThread()
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		panic(err)
	}
	attr.Runtime = uint64(100 * time.Millisecond)
	if err := unix.SchedSetAttr(0, attr, 0); err != nil {
		panic(err)
	}
	_ = unix.SetMemPolicy(unix.MPOL_BIND, &unix.CPUSet{1}) // not in every kernel
	panic(unix.Exec(os.Args[1], os.Args[1:], os.Environ()))
}

// attributes is a broker that reports what it inherits. A shell would unblock signals first.
const attributes = `#!/usr/bin/perl
open my $f, "<", "/proc/self/status"; my ($blocked) = grep { /^SigBlk/ } <$f>; exec "/bin/sh", "-c", <<'END', $blocked;
{
	printf %%s "$0"
	grep SigIgn /proc/self/status
	chrt -p $$; ionice -p $$; nice; taskset -p $$
	uname -r; cat /proc/$$/timerslack_ns /proc/$$/oom_score_adj
	grep -s slice /proc/$$/sched; cut -d" " -f2 /proc/$$/numa_maps | uniq
	for n in H S; do
		[ $n = H ] && echo hard || echo soft
		ulimit -${n}n; ulimit -${n}s; ulimit -${n}c; ulimit -${n}v; ulimit -${n}t; ulimit -${n}f; ulimit -${n}p; ulimit -${n}l
	done
	echo end
	cat /proc/self/cgroup
} 2>&1 | sed "s/pid $$/pid/" >%[1]s.new
mv %[1]s.new %[1]s
END
`

// foundByBroker starts the program, setuid root or not, by a script, and returns what its broker
// found.
func foundByBroker(t *testing.T, mode uint32, uid int, via string) string {
	t.Helper()
	needRoot(t)
	found := filepath.Join(libexec, "found")
	path, session := filepath.Join(libexec, "dockersh"), filepath.Join(libexec, "dockershd-session")
	must(t, os.WriteFile(session, fmt.Appendf(nil, attributes, found), 0o755))
	_ = os.Remove(found)
	t.Cleanup(func() { _, _ = os.Remove(session), os.Remove(found) })
	copyProgram(t, program(t), path, mode)
	f := noBroker(t).run(how{path: path, uid: uid, via: via})
	defer func() { <-f.ended }()
	for end := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(found)
		switch {
		case err == nil:
			return string(text)
		case time.Now().After(end):
			t.Fatal("the broker wrote nothing")
		}
	}
}

func TestBrokerWithRootsRightsInheritsNothingOfTheUser(t *testing.T) {
	copyProgram(t, "/proc/self/exe", filepath.Join(libexec, "change-more"), 0o755)
	plain := foundByBroker(t, 0o4755, nobody, "")
	if got := foundByBroker(t, 0o4755, nobody, change); got != plain {
		t.Errorf("%s\nwithout changes:\n%s", got, plain)
	}
	var u unix.Utsname
	must(t, unix.Uname(&u))
	init, err := exec.Command("taskset", "-p", "1").Output()
	must(t, err)
	_, processors, _ := strings.Cut(string(init), "mask: ")
	for _, want := range []string{"SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", "SCHED_OTHER", "none: prio", "\n0\n",
		"mask: " + processors, "\n" + unix.ByteSliceToString(u.Release[:]) + "\n50000\n0\n"} {
		if !strings.Contains(plain, want) {
			t.Errorf("no %q in\n%s", want, plain)
		}
	}
	// Root in a container may lack the right to raise them.
	_, limits, _ := strings.Cut(plain, "hard\n")
	limits, _, _ = strings.Cut(limits, "end\n")
	if hard, soft, _ := strings.Cut(limits, "soft\n"); hard != soft || strings.Split(soft, "\n")[2] != "0" {
		t.Errorf("hard limits\n%ssoft limits\n%s", hard, soft)
	}
}

// systemd gives users cgroups of their own.
func TestBrokerWithRootsRightsLeavesTheCgroupOfTheUser(t *testing.T) {
	needRoot(t)
	for _, at := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer"} {
		outer := fmt.Sprintf("%s/dockersh-test-%d", at, os.Getpid())
		inner := outer + "/user:s/below"
		if _, err := os.Stat(at + "/cgroup.procs"); err != nil {
			t.Logf("no such cgroups here: %v", err)
			continue
		}
		t.Cleanup(func() { _, _, _ = os.Remove(inner), os.Remove(filepath.Dir(inner)), os.Remove(outer) })
		must(t, os.MkdirAll(inner, 0o755))
		enter := `echo $$ >"` + inner + `/cgroup.procs" && exec "$@"`
		if out := foundByBroker(t, 0o755, 0, enter); !strings.Contains(out, inner[len(at):]+"\n") {
			t.Errorf("it has left a cgroup of root: %s", out)
		}
		must(t, os.Chown(filepath.Dir(inner), nobody, nobody))
		if out := foundByBroker(t, 0o755, 0, enter); !strings.Contains(out, ":"+outer[len(at):]+"\n") {
			t.Errorf("it is not in the innermost cgroup of root: %s", out)
		}
	}
}

func TestBrokerWithRootsRightsDoesNotRunInTheCgroupOfAUser(t *testing.T) {
	needRoot(t)
	const at = "/sys/fs/cgroup/freezer"
	cgroup := fmt.Sprintf("%s/dockersh-test-%d", at, os.Getpid())
	if err := os.Mkdir(cgroup, 0o755); err != nil {
		t.Skip("no cgroups of version 1 here: ", err)
	}
	t.Cleanup(func() { _ = os.Remove(cgroup) })
	must(t, os.Chown(cgroup, nobody, nobody))
	newDoor(t)
	// A host that is itself a container may not move processes.
	via := `echo $$ >` + cgroup + `/cgroup.procs && exec unshare -m sh -c '
		mount --bind ` + at + ` ` + at + ` && mount -o remount,bind,ro ` + at + ` && exec "$@"' sh "$@"`
	noBroker(t).run(how{via: via}).refuses("dockersh: error: cannot move the dockersh service out of a cgroup that is yours: read-only file system\nhint: " + usererr.RunDoctor + "\n")
}

// The kernel names no cgroup whose path is longer than a path may be.
func TestBrokerWithRootsRightsDoesNotRunInACgroupWithoutAName(t *testing.T) {
	needRoot(t)
	newDoor(t)
	for _, at := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer"} {
		if _, err := os.Stat(at + "/cgroup.procs"); err != nil {
			t.Logf("no such cgroups here: %v", err)
			continue
		}
		procs := makeDeepCgroup(t, at)
		noBroker(t).run(how{extra: procs, via: `echo $$ >&3 && exec "$@"`}).refuses(
			"dockersh: error: cannot move the dockersh service out of a cgroup that is yours: file name too long\nhint: " + usererr.RunDoctor + "\n")
	}
}

// makeDeepCgroup makes a cgroup whose path is too long, and returns its cgroup.procs.
func makeDeepCgroup(t *testing.T, at string) *os.File {
	t.Helper()
	dir, err := unix.Open(at, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	must(t, err)
	for level := range unix.PathMax/200 + 1 {
		above, name := dir, fmt.Sprintf("dockersh-test-%d-%0180d", os.Getpid(), level)
		must(t, unix.Mkdirat(above, name, 0o755))
		dir, err = unix.Openat(above, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		must(t, err)
		t.Cleanup(func() { _, _ = unix.Unlinkat(above, name, unix.AT_REMOVEDIR), unix.Close(above) })
	}
	procs, err := unix.Openat(dir, "cgroup.procs", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	must(t, errors.Join(err, unix.Close(dir)))
	return asFile(t, procs)
}
