//go:build e2e

package e2e

import (
	"syscall"
	"testing"
)

func TestMaxsessionsIsPerUserAndHoldsAcrossBrokers(t *testing.T) {
	u, other := newBoxed(t, "maxsessions = 2"), newBoxed(t, "maxsessions = 2")
	first, second := live(t, u), live(t, u)
	ssh(t, u, "true").refused(t, "you may have 2 sessions at a time")
	works(t, other)
	broker.restart(t, syscall.SIGKILL)
	ssh(t, u, "true").refused(t, "you may have 2 sessions")
	if got := first.run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	// However a session ends that the broker of today never saw begin.
	second.line("exit 0")
	second.wait()
	eventually(t, "a place is free", func() bool { return ssh(t, u, "true").status == 0 })
	third := live(t, u)
	ssh(t, u, "true").refused(t, "you may have 2 sessions")
	_ = third.cmd.Process.Kill() // the connection is cut
	eventually(t, "a place is free", func() bool { return ssh(t, u, "true").status == 0 })
}
