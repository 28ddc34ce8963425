//go:build e2e && bench

package bench

import (
	"os/exec"
	"testing"
	"time"

	"github.com/dockersh/dockersh/test/e2e"
)

// agentRow compares how long it takes until a login has an answer from the user's ssh agent.
func agentRow(t *testing.T) row {
	e2e.StartSSHAgent(t)
	list := func(a *e2e.Account) func() time.Duration {
		if !e2e.CopySSHAdd(t, a) {
			t.Fatal("ssh-add does not run")
		}
		argv := e2e.SSHArgv(a, "-A", "127.0.0.1", e2e.SSHAdd+" -l >/dev/null")
		return func() time.Duration { return timed(t, exec.Command(argv[0], argv[1:]...)) }
	}
	m := race(60, list(e2e.Boxed), list(e2e.Plain))
	return costRow("ssh -A host ssh-add -l: dockersh vs bash", m[0], m[1], 1.1)
}

// TestAgentBudget measures this row alone: AGENT=1 go test -run TestAgentBudget.
func TestAgentBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "AGENT", func() []row { return []row{agentRow(t)} })
}
