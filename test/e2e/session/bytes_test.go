//go:build e2e

package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// big is 400 MB, or 20 MB with -short.
func big() int64 {
	if testing.Short() {
		return 20e6
	}
	return 400e6
}

// reopenScript opens what the shell has open. Programs do so to log, for one.
const reopenScript = `cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr; echo more >>/proc/self/fd/1`

func TestStdioCanBeOpenedAgain(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	check := func(t *testing.T, u *e2e.Account) {
		t.Helper()
		e2e.SSHInput(t, u, strings.NewReader("in\n"), reopenScript).Want(t, "in\nout\nmore\n", "err\n", 0)
	}
	e2e.ForEachUser(t, check)
	for _, who := range []string{"nobody", "4711:4712", "root"} {
		t.Run(who, func(t *testing.T) {
			check(t, e2e.NewUser(t, "imagename = dsh-debian", "shell = /bin/sh", "usercwd = /", "containerusername = "+who))
		})
	}
}

func TestLargeDataIsByteExactInEachDirection(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	want := e2e.Sum(e2e.Noise(1, big()))
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		argv := e2e.SSHArgv(u, "127.0.0.1", "cat")
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		h := &counting{Hash: sha256.New()}
		var stderr bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = e2e.Noise(1, big()), h, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		if got := [32]byte(h.Sum(nil)); got != want || h.n != big() || stderr.Len() > 0 {
			t.Errorf("%d bytes came back, want %d; equal: %v; stderr %q", h.n, big(), got == want, stderr.String())
		}
	})
}

type counting struct {
	hash.Hash
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.Hash.Write(p)
}

func TestStdoutAndStderrStayApart(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "echo out; echo err >&2; printf o2; printf e2 >&2").Want(t, "out\no2", "err\ne2", 0)
	})
}

func TestStderrFlowsAfterStdoutIsClosed(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "exec >&-; sleep 0.2; echo late >&2; exit 3").Want(t, "", "late\n", 3)
	})
}

func TestEndOfInputReachesTheCommand(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSHInput(t, u, strings.NewReader(""), "cat; echo end").Want(t, "end\n", "", 0)
		e2e.SSHInput(t, u, strings.NewReader("one\n"), "wc -c").Want(t, "4\n", "", 0)
	})
}

func TestInputMayBeLeftUnread(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSHInput(t, u, e2e.Noise(2, 5e6), "exec <&-; sleep 0.2; echo done; exit 5").Want(t, "done\n", "", 5)
		e2e.SSHInput(t, u, e2e.Noise(2, 5e6), "head -c 3 | wc -c").Want(t, "3\n", "", 0)
	})
}

func TestEndlessOutputEndsWithItsReader(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		r := e2e.SSH(t, u, "yes | head -n 1")
		r.Want(t, "y\n", "", 0)
		argv := e2e.SSHArgv(u, "127.0.0.1", "yes")
		pipe := exec.Command("sh", append([]string{"-c", `"$@" | head -n 1`, "sh"}, argv...)...)
		start := time.Now()
		out, err := pipe.Output()
		if string(out) != "y\n" || err != nil || time.Since(start) > e2e.Limit {
			t.Errorf("%q, %v after %v", out, err, time.Since(start))
		}
	})
	e2e.Eventually(t, "no yes is left", func() bool { return !running("yes") })
}

// running reports whether a process of that name is alive, on the host or inside.
func running(name string) bool {
	out, _ := exec.Command("ps", "-eo", "stat=,comm=").Output()
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) == 2 && f[1] == name && !strings.HasPrefix(f[0], "Z") {
			return true
		}
	}
	return false
}

func TestBackgroundJobDoesNotHoldTheSession(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	// Without a terminal sshd waits until stdout and stderr are closed, with either
	// shell, so the job closes them.
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		r := e2e.SSH(t, u, "sleep 20 >/dev/null 2>&1 </dev/null & echo hi")
		r.Want(t, "hi\n", "", 0)
		if r.Took > 10*time.Second {
			t.Errorf("took %v", r.Took)
		}
	})
}

func TestBackgroundJobThatKeepsStdoutHoldsTheSession(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.SameResult(t, func(t *testing.T, u *e2e.Account) bool {
		r := e2e.SSH(t, u, "sleep 3 & echo hi")
		r.Want(t, "hi\n", "", 0)
		return r.Took >= 3*time.Second
	})
}

func TestBackgroundJobWithTerminalDoesNotHoldTheSession(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		r := e2e.SSH(t, u, "-tt", "--", "sleep 20 & echo hi")
		if r.Stdout != "hi\r\n" || r.Status != 0 || r.Took > 10*time.Second {
			t.Errorf("%q, %d after %v", r.Stdout, r.Status, r.Took)
		}
	})
}

func TestCommandLineOf100kBPasses(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	long := strings.Repeat("0123456789", 10_000)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "printf %s "+long+" | wc -c").Want(t, "100000\n", "", 0)
	})
}

func TestEveryByteAndUTF8Pass(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSHInput(t, u, bytes.NewReader(all), "cat").Want(t, string(all), "", 0)
		e2e.SSH(t, u, "printf %s 'Grüße, 世界 🐚'").Want(t, "Grüße, 世界 🐚", "", 0)
		e2e.SSH(t, u, `printf '\377\376\200'`).Want(t, "\xff\xfe\x80", "", 0)
		e2e.SSH(t, u, "printf %s \xff\xfe\x80").Want(t, "\xff\xfe\x80", "", 0)
	})
}

func TestQuotesReachTheShellUntouched(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, `printf '[%s]' "a  b" 'c"d' "e\$f" $((1+1)) '*'`).Want(t, `[a  b][c"d][e$f][2][*]`, "", 0)
		e2e.SSH(t, u, "echo one\necho two").Want(t, "one\ntwo\n", "", 0)
	})
}
