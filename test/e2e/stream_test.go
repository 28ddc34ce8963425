//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// noise is a stream of n bytes of every value, the same for the same seed.
func noise(seed byte, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func sum(r io.Reader) [32]byte {
	h := sha256.New()
	_, _ = io.Copy(h, r)
	return [32]byte(h.Sum(nil))
}

// big is 400 MB; -short makes it 20.
func big() int64 {
	if testing.Short() {
		return 20e6
	}
	return 400e6
}

func TestLargeDataIsByteExactInEachDirection(t *testing.T) {
	want := sum(noise(1, big()))
	both(t, func(t *testing.T, u *account) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		argv := sshArgv(u, "127.0.0.1", "cat")
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		h := &counting{Hash: sha256.New()}
		var stderr bytes.Buffer
		cmd.Stdin, cmd.Stdout, cmd.Stderr = noise(1, big()), h, &stderr
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
	both(t, func(t *testing.T, u *account) {
		ssh(t, u, "echo out; echo err >&2; printf o2; printf e2 >&2").want(t, "out\no2", "err\ne2", 0)
	})
}

func TestStderrFlowsAfterStdoutIsClosed(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		ssh(t, u, "exec >&-; sleep 0.2; echo late >&2; exit 3").want(t, "", "late\n", 3)
	})
}

func TestEndOfInputPasses(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		sshInput(t, u, strings.NewReader(""), "cat; echo end").want(t, "end\n", "", 0)
		sshInput(t, u, strings.NewReader("one\n"), "wc -c").want(t, "4\n", "", 0)
	})
}

func TestInputMayBeLeftUnread(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		sshInput(t, u, noise(2, 5e6), "exec <&-; sleep 0.2; echo done; exit 5").want(t, "done\n", "", 5)
		sshInput(t, u, noise(2, 5e6), "head -c 3 | wc -c").want(t, "3\n", "", 0)
	})
}

func TestEndlessOutputEndsWithItsReader(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		r := ssh(t, u, "yes | head -n 1")
		r.want(t, "y\n", "", 0)
		argv := sshArgv(u, "127.0.0.1", "yes")
		pipe := exec.Command("sh", append([]string{"-c", `"$@" | head -n 1`, "sh"}, argv...)...)
		start := time.Now()
		out, err := pipe.Output()
		if string(out) != "y\n" || err != nil || time.Since(start) > limit {
			t.Errorf("%q, %v after %v", out, err, time.Since(start))
		}
	})
	eventually(t, "no yes is left running", func() bool { return !running("yes") })
}

// running says whether a process of that name is alive anywhere.
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
	// Without a terminal sshd waits for the end of stdout and stderr, with
	// either shell; so the job gives them up.
	both(t, func(t *testing.T, u *account) {
		r := ssh(t, u, "sleep 20 >/dev/null 2>&1 </dev/null & echo hi")
		r.want(t, "hi\n", "", 0)
		if r.took > 10*time.Second {
			t.Errorf("took %v", r.took)
		}
	})
}

func TestBackgroundJobThatKeepsStdoutHoldsIt(t *testing.T) {
	same(t, func(t *testing.T, u *account) bool {
		r := ssh(t, u, "sleep 3 & echo hi")
		r.want(t, "hi\n", "", 0)
		return r.took >= 3*time.Second
	})
}

func TestBackgroundJobWithTerminalDoesNotHoldTheSession(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		r := ssh(t, u, "-tt", "--", "sleep 20 & echo hi")
		if r.stdout != "hi\r\n" || r.status != 0 || r.took > 10*time.Second {
			t.Errorf("%q, %d after %v", r.stdout, r.status, r.took)
		}
	})
}

func TestCommandLineOf100kB(t *testing.T) {
	long := strings.Repeat("0123456789", 10_000)
	both(t, func(t *testing.T, u *account) {
		ssh(t, u, "printf %s "+long+" | wc -c").want(t, "100000\n", "", 0)
	})
}

func TestEveryByteAndUTF8Pass(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	both(t, func(t *testing.T, u *account) {
		sshInput(t, u, bytes.NewReader(all), "cat").want(t, string(all), "", 0)
		ssh(t, u, "printf %s 'Grüße, 世界 🐚'").want(t, "Grüße, 世界 🐚", "", 0)
		ssh(t, u, `printf '\377\376\200'`).want(t, "\xff\xfe\x80", "", 0)
		ssh(t, u, "printf %s \xff\xfe\x80").want(t, "\xff\xfe\x80", "", 0)
	})
}

func TestQuotesReachTheShellUntouched(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		ssh(t, u, `printf '[%s]' "a  b" 'c"d' "e\$f" $((1+1)) '*'`).want(t, `[a  b][c"d][e$f][2][*]`, "", 0)
		ssh(t, u, "echo one\necho two").want(t, "one\ntwo\n", "", 0)
	})
}
