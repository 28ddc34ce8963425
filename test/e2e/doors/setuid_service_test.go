//go:build e2e

package doors

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// However strangely it is started, a setuid shell does neither more nor less than a shell
// that uses the service.
func TestSetuidShellTreatsAStrangeStartAsTheServicesShellDoes(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "they are compared")
	u := e2e.NewAccount(t, "/bin/bash", "mounthome")
	with := e2e.SetuidShell(t)
	for _, c := range []struct{ script, want string }{
		{`cd; mkdir gone; cd gone; rmdir ../gone; exec "$0" -c pwd`, u.Home + "\n"},
		{`cd; mkdir shut; cd shut; chmod 0 .; exec "$0" -c pwd`, u.Home + "\n"},
		{`cd; mkdir -p a/b; cd a/b; chmod 0 ..; exec "$0" -c 'pwd; ls -ld ~/a | cut -c 1-10'`, u.Home + "\nd---------\n"},
		{`cd; mkdir c; cd c; chmod 0 .; exec "$0" -c 'cat no-such-file; echo $?' 2>/dev/null`, "1\n"},
		{`exec "$0" -c 'echo $0 $#' a b`, "a 1\n"},
	} {
		for _, shell := range []string{e2e.Front, with} {
			cmd := e2e.AsUser(u, "/bin/bash", "-c", c.script, shell)
			if out, err := cmd.CombinedOutput(); string(out) != c.want || err != nil {
				t.Errorf("%s as %s: %q %v, want %q", c.script, shell, out, err, c.want)
			}
			e2e.OnHost(t, "sh", "-c", "chmod -R 700 "+u.Home+"/* 2>/dev/null; rm -rf "+u.Home+"/*")
		}
	}
}

// Without argv, not even its own name (execve(2) with argv NULL; since Linux 5.18 the
// kernel makes that one empty word), the shell reads its input.
func TestShellStartedWithoutArgvReadsItsInput(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "they are compared")
	u := e2e.NewAccount(t, "/bin/bash")
	for _, shell := range []string{e2e.Front, e2e.SetuidShell(t)} {
		in, out := e2e.Scratch+"/without-words.in", e2e.Scratch+"/without-words.out"
		e2e.WriteFile(t, in, "id -u; exit 7\n")
		if status := startWithoutWords(t, u, shell, in, out); status != 7 {
			t.Errorf("%s: status %d", shell, status)
		}
		if said, err := os.ReadFile(out); string(said) != strconv.Itoa(u.UID)+"\n" {
			t.Errorf("%s: %q %v", shell, said, err)
		}
	}
}

// startWithoutWords starts a program with an empty argv, which exec.Cmd cannot do.
func startWithoutWords(t *testing.T, u *e2e.Account, program, in, out string) (status int) {
	t.Helper()
	from, err := os.Open(in)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	p, err := os.StartProcess(program, nil, &os.ProcAttr{Dir: "/", Env: []string{"HOME=" + u.Home}, Files: []*os.File{from, to, to}, Sys: e2e.AsUser(u, program).SysProcAttr})
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(e2e.Limit, func() { _ = p.Kill() })
	defer timer.Stop()
	state, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return state.ExitCode()
}

// Whatever limits a user sets, the session begins as it does through the service, and the
// broker has none of them. It raises a hard limit again if root can (CAP_SYS_RESOURCE),
// which it cannot in some containers.
func TestSetuidBrokerHasNoneOfItsUsersLimits(t *testing.T) {
	e2e.Run(t, e2e.ServiceDoor, "they are compared")
	u := e2e.NewAccount(t, "/bin/bash")
	with := e2e.SetuidShell(t)
	for _, c := range []struct{ name, limit, users, brokers string }{
		{"Max cpu time", "-t 1", "1", "unlimited"},
		{"Max file size", "-f 0", "0", "unlimited"},
		{"Max address space", "-v 1500000", "1536000000", "unlimited"},
		{"Max data size", "-d 200000", "204800000", "unlimited"},
		{"Max stack size", "-s 256", "262144", "8388608"},
		{"Max open files", "-n 64", "64", "65536"},
		{"Max processes", "-u 20000", "20000", "unlimited"},
		{"Max pending signals", "-i 64", "64", "unlimited"},
		{"Max locked memory", "-l 0", "0", "8388608"},
	} {
		for _, kind := range []string{"-S", "-SH"} {
			t.Run(c.name+" "+kind, func(t *testing.T) {
				raises := exec.Command("/bin/sh", "-c", "ulimit -n 64 && ulimit -n 65").Run() == nil
				if kind == "-SH" && !raises {
					t.Skip("root has no CAP_SYS_RESOURCE here")
				}
				for _, shell := range []string{e2e.Front, with} {
					argv := []string{"/bin/bash", "-c", "ulimit " + kind + " " + c.limit + ` && exec "$0" -c 'id -u; read x'`, shell}
					cmd, said := startWaiting(t, u, argv)
					if said != strconv.Itoa(u.UID)+"\n" {
						t.Errorf("%s: %q", shell, said)
					}
					if shell == e2e.Front {
						continue
					}
					soft, hard := limitOf(t, oneShot(t, cmd.Process.Pid), c.name)
					if soft != hard || soft == c.users || raises && soft != c.brokers {
						t.Errorf("%s %s, want %s", soft, hard, c.brokers)
					}
				}
			})
		}
	}
}

// limitOf returns a row of /proc/PID/limits (proc(5)).
func limitOf(t *testing.T, pid int, name string) (soft, hard string) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, row, _ := strings.Cut(string(text), "\n"+name+" ")
	row, _, _ = strings.Cut(row, "\n")
	f := strings.Fields(row)
	if len(f) < 2 {
		t.Fatalf("no %q in %s", name, text)
	}
	return f[0], f[1]
}
