//go:build e2e && bench

package bench

import (
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// burstRow runs commands after one another as sessions of one connection, as git, rclone and
// Ansible do, and as many as a plain account. It has no bound: the start of a Go program for each
// session takes most of the difference.
func burstRow(t *testing.T, u, host *e2e.Account) row {
	const rounds, sessions = 20, 50
	over := func(a *e2e.Account) func() time.Duration {
		client := e2e.DialGo(t, a, e2e.Port)
		return func() time.Duration {
			start := time.Now()
			for range sessions {
				s, err := client.NewSession()
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Run("true"); err != nil {
					t.Fatal(err)
				}
			}
			return time.Since(start)
		}
	}
	return measure(rounds, func(m [][]time.Duration) []row {
		return []row{costRow("50 commands on one connection: dockersh vs bash", m[0], m[1], 0)}
	}, over(u), over(host))[0]
}

// TestBurstBudget measures this row alone: BURST=1 go test -run TestBurstBudget.
func TestBurstBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "BURST", func() []row {
		u := e2e.NewUser(t)
		e2e.CanLogIn(t, u)
		return []row{burstRow(t, u, e2e.NewAccount(t, "/bin/bash"))}
	})
}
