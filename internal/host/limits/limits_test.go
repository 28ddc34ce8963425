// The package must import nothing, not even for a test.
package limits_test

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/limits"
)

// The test runs itself with other limits: those that this process was started with count.
func TestLimitsAreThoseThatTheProcessWasStartedWith(t *testing.T) {
	if os.Getenv("DSH_LIMITS") != "" {
		own := limits.Own()
		if own[unix.RLIMIT_NOFILE] != (limits.Limit{77, 99}) || own[unix.RLIMIT_CORE] != (limits.Limit{0, 4096}) {
			t.Errorf("%v", own)
		}
		return
	}
	c := exec.Command("/bin/sh", "-c", `ulimit -Sn 77; ulimit -Hn 99; ulimit -Sc 0; ulimit -Hc 8; exec "$@"`, "sh",
		os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	c.Env = append(os.Environ(), "DSH_LIMITS=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestLowerIsTheLowerOfEach(t *testing.T) {
	for _, c := range []struct{ a, b, want limits.Limit }{
		{limits.Limit{1, 9}, limits.Limit{2, 8}, limits.Limit{1, 8}},
		{limits.Limit{5, limits.Unlimited}, limits.Limit{7, 7}, limits.Limit{5, 7}},
		{limits.Limit{9, 9}, limits.Limit{20, 3}, limits.Limit{3, 3}},
		{limits.Limit{9, 1}, limits.Limit{limits.Unlimited, limits.Unlimited}, limits.Limit{1, 1}}, // no kernel says so: a peer may
	} {
		if got := c.a.Lower(c.b); got != c.want {
			t.Errorf("%v and %v: %v", c.a, c.b, got)
		}
	}
}
