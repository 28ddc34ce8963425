//go:build e2e

package session

import (
	"syscall"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMaxsessionsHoldsPerUserAndAcrossBrokers(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	u, other := e2e.NewUser(t, "maxsessions = 2"), e2e.NewUser(t, "maxsessions = 2")
	first, second := e2e.LiveSession(t, u), e2e.LiveSession(t, u)
	e2e.SSH(t, u, "true").Refused(t, "you may have 2 sessions at a time")
	e2e.CanLogIn(t, other)
	e2e.Broker.Restart(t, syscall.SIGKILL)
	e2e.SSH(t, u, "true").Refused(t, "you may have 2 sessions")
	if got := first.Run("echo still here"); got != "still here" {
		t.Errorf("%q", got)
	}
	// The sessions that end now began under the earlier broker.
	second.Line("exit 0")
	second.Wait()
	e2e.Eventually(t, "a session is allowed again", func() bool { return e2e.SSH(t, u, "true").Status == 0 })
	third := e2e.LiveSession(t, u)
	e2e.SSH(t, u, "true").Refused(t, "you may have 2 sessions")
	_ = third.Cmd.Process.Kill() // cuts the connection
	e2e.Eventually(t, "a session is allowed again", func() bool { return e2e.SSH(t, u, "true").Status == 0 })
}
