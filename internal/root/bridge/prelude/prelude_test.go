package prelude

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// shells are the kinds of /bin/sh that images have.
var shells = [][]string{{"/bin/dash"}, {"/bin/bash", "--posix"}, {"/bin/busybox", "sh"}}

// runPrelude runs the prelude of a session in one kind of shell, with the line that it
// waits for.
func runPrelude(t *testing.T, sh []string, m *wire.Start, environ ...string) (first string, out []byte, code int) {
	t.Helper()
	if _, err := os.Stat(sh[0]); err != nil {
		t.Skip("not on this host: ", sh[0])
	}
	words := append(append([]string{}, sh...), Argv("MARK", m)[1:]...)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=/etc"}, environ...)
	cmd.Stdin = strings.NewReader("\nrest of the input\n")
	all, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	line, out, _ := bytes.Cut(all, []byte("\n"))
	return string(line), out, cmd.ProcessState.ExitCode()
}

func TestPreludeBecomesTheProgram(t *testing.T) {
	for _, sh := range shells {
		t.Run(sh[0], func(t *testing.T) {
			for _, c := range []struct {
				what string
				m    wire.Start
				code int
				out  string
			}{
				{"a command", wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", "pwd; cat; exit 7"}, Cwd: "/usr"}, 0, "/usr\nrest of the input\n"},
				{"no directory asked for", wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", "pwd; exit 7"}}, 0, "/etc\n"},
				{"a umask", wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", "umask; exit 7"}, Inherited: inheritedOf(nil)}, 0, "0027\n"},
				{"a missing directory", wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", "pwd; exit 7"}, Cwd: "/none"}, 1, "/etc\n"},
				{"odd words", wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", `printf '[%s]' "$@"; exit 7`, "x", " a  b ", "", "*", `\n%b\0101`, "-n", "\n"}}, 0, "[ a  b ][][*][\\n%b\\0101][-n][\n]"},
				{"any bytes", wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", `printf '[%s]' "$@"; exit 7`, "x", "\xff\xfe\x80", `\0101`, "é\n", ""}}, 0, "[\xff\xfe\x80][\\0101][é\n][]"},
				{"a login shell", wire.Start{Path: "/bin/sh", Argv: []string{"-sh", "-c", "echo $0; exit 7"}}, 0, "/bin/sh\n"},
			} {
				first, out, code := runPrelude(t, sh, &c.m)
				r, ok := ParseReport(first, "MARK")
				if !ok || r.Code != c.code || string(out) != c.out || code != 7 {
					t.Errorf("%s: %q %+v, %q, status %d; want %d, %q", c.what, first, r, out, code, c.code, c.out)
				}
				if r.Parent != os.Getpid() {
					t.Errorf("%s: parent %d, want %d", c.what, r.Parent, os.Getpid())
				}
			}
		})
	}
}

// inheritedOf is a login with a umask, and with limits alone that are named.
func inheritedOf(named map[int]limits.Limit) *wire.Inherited {
	in := &wire.Inherited{Umask: 0o27}
	for i := range in.Limits {
		in.Limits[i] = limits.Limit{Soft: limits.Unlimited, Hard: limits.Unlimited}
		if l, ok := named[i]; ok {
			in.Limits[i] = l
		}
	}
	return in
}

func TestPreludeSetsLimitsAndNiceValueOfTheLogin(t *testing.T) {
	in := inheritedOf(map[int]limits.Limit{
		unix.RLIMIT_NOFILE: {Soft: 77, Hard: 99}, unix.RLIMIT_NPROC: {Soft: 4000, Hard: 5000}, unix.RLIMIT_CORE: {Soft: 0, Hard: 4096},
		unix.RLIMIT_FSIZE: {Soft: 1 << 20, Hard: limits.Unlimited}, unix.RLIMIT_STACK: {Soft: 4 << 20, Hard: 4 << 20},
	})
	in.Nice = 5
	const script = `grep -E "open files|processes|core|file size|stack" /proc/self/limits | tr -s " "; cut -d" " -f19 /proc/self/stat`
	want := "Max file size 1048576 unlimited bytes \nMax stack size 4194304 4194304 bytes \nMax core file size 0 4096 bytes \n" +
		"Max processes 4000 5000 processes \nMax open files 77 99 files \n5\n"
	for _, sh := range shells {
		t.Run(sh[0], func(t *testing.T) {
			m := wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Inherited: in}
			if _, out, code := runPrelude(t, sh, &m); string(out) != want || code != 0 {
				t.Errorf("got\n%s, status %d, want\n%s", out, code, want)
			}
		})
	}
}

// Without rights the kernel refuses them: the session starts all the same.
func TestPreludeGoesOnWithoutLimitsThatAreRefused(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	in := inheritedOf(map[int]limits.Limit{unix.RLIMIT_NOFILE: {Soft: 500, Hard: 900}, unix.RLIMIT_NPROC: {Soft: 500, Hard: 900}})
	for _, sh := range shells {
		t.Run(sh[0], func(t *testing.T) {
			lower := []string{"/usr/bin/setpriv", "--reuid=65534", "--clear-groups", "/usr/bin/prlimit", "--nofile=100:200", "--nproc=100:200"}
			m := wire.Start{Path: "/bin/sh", Argv: []string{"sh", "-c", "ulimit -Sn; ulimit -Hn; pwd; exit 7"}, Cwd: "/", Inherited: in}
			if _, out, code := runPrelude(t, append(lower, sh...), &m); string(out) != "100\n200\n/\n" || code != 7 {
				t.Errorf("%q, status %d", out, code)
			}
		})
	}
}

func TestPreludeRunsWhatTheContainerHasForACommand(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/scp", []byte("#!/bin/sh\necho own \"$@\"\nexit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, sh := range shells {
		t.Run(sh[0], func(t *testing.T) {
			for _, c := range []struct {
				zero, command, out string
				code               int
			}{
				{"sh", "/none/scp -t 'a  b' \\\\", "own -t a  b \\\n", 7},
				{"-sh", dir + "/scp -r -t x", "own -r -t x\n", 7},
				{"sh", dir + "/scp -f \xff", "own -f \xff\n", 7},
				{"sh", "/none/scp a b", "", 127},
				{"sh", "/none/rsync --server", "", 127},
			} {
				m := &wire.Start{Path: "/bin/sh", Argv: []string{c.zero, "-c", c.command}}
				first, out, code := runPrelude(t, sh, m, "PATH="+dir)
				if _, ok := ParseReport(first, "MARK"); !ok || string(out) != c.out || code != c.code {
					t.Errorf("%s: %q, %q, status %d", c.command, first, out, code)
				}
			}
		})
	}
}

func TestProgramThatCannotBeRunIsReportedAndNotTried(t *testing.T) {
	for _, sh := range shells {
		t.Run(sh[0], func(t *testing.T) {
			for path, want := range map[string]int{"/none/such": NoProgram, "/etc/passwd": NotProgram, "/etc": NotProgram} {
				first, out, _ := runPrelude(t, sh, &wire.Start{Path: path, Argv: []string{"x"}})
				if r, ok := ParseReport(first, "MARK"); !ok || r.Code != want || len(out) > 0 {
					t.Errorf("%s: %q %q, want %d", path, first, out, want)
				}
			}
		})
	}
}

func TestPreludeLeavesTheEnvironmentUnchanged(t *testing.T) {
	for _, sh := range shells {
		t.Run(sh[0], func(t *testing.T) {
			m := &wire.Start{Path: "/usr/bin/env", Argv: []string{"env"}}
			_, out, _ := runPrelude(t, sh, m, "d=1", "s=2", "SSH_TTY=/dev/pts/77")
			for _, bad := range []string{"dockersh", "OLDPWD", "SSH_TTY"} {
				if strings.Contains(string(out), bad) {
					t.Errorf("%s is in it:\n%s", bad, out)
				}
			}
			if !strings.Contains(string(out), "d=1\n") || !strings.Contains(string(out), "s=2\n") {
				t.Errorf("a variable is missing:\n%s", out)
			}
		})
	}
}

// The number may have become another process's: its parent shows that.
func TestOnlyTheSessionIsSignalled(t *testing.T) {
	for _, sh := range shells {
		t.Run(sh[0], func(t *testing.T) {
			if _, err := os.Stat(sh[0]); err != nil {
				t.Skip("not on this host: ", sh[0])
			}
			for _, c := range []struct {
				parent int
				dies   bool
			}{{os.Getpid() + 1, false}, {os.Getpid(), true}} {
				// Its name would mislead a careless reader of /proc.
				name := t.TempDir() + "/a) S 1 (b"
				if err := os.Symlink("/bin/sleep", name); err != nil {
					t.Fatal(err)
				}
				victim := exec.Command(name, "1000")
				if err := victim.Start(); err != nil {
					t.Fatal(err)
				}
				words := append(append([]string{}, sh...), "-c", KillScript, "x", strconv.Itoa(victim.Process.Pid), strconv.Itoa(c.parent), "0:", "10:")
				if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("%v: %s", err, out)
				}
				_ = victim.Process.Kill()
				state, _ := victim.Process.Wait()
				if died := state.String() == "signal: user defined signal 1"; died != c.dies {
					t.Errorf("parent %d: %v", c.parent, state)
				}
			}
		})
	}
}

func TestOnlyThePreludesLineIsAReport(t *testing.T) {
	for line, want := range map[string]bool{
		"MARK 7 0 0": true, "MARK 7 0 0\r": true, "MARK 0 0 0": false, "MARK -7 0 0": false, "OTHER 7 0 0": false,
		"OCI runtime exec failed: exec failed": false, "": false, "MARK": false, "MARK 7 0 0 1": false, "MARK 7 0 x": false,
	} {
		if _, ok := ParseReport(line, "MARK"); ok != want {
			t.Errorf("%q: %v", line, ok)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	f.Add("MARK 7 0 0")
	f.Add("OCI runtime exec failed")
	f.Fuzz(func(t *testing.T, line string) {
		if r, ok := ParseReport(line, "MARK"); ok && (r.PID <= 0 || r.Parent < 0 || r.Code < 0 || !strings.HasPrefix(line, "MARK ")) {
			t.Errorf("%q is %+v", line, r)
		}
	})
}
