//go:build e2e && bench

package bench

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// agentRow compares how long it takes until a login has an answer from the user's ssh agent.
func agentRow(t *testing.T) row {
	e2e.StartSSHAgent(t)
	for _, shell := range []string{"/bin/bash", e2e.Front} {
		setShell(t, e2e.Boxed, shell)
		if !e2e.CopySSHAdd(t, e2e.Boxed) {
			t.Fatal("ssh-add does not run")
		}
	}
	return shellRow(t, "ssh -A host ssh-add -l: dockersh vs bash", e2e.Boxed, 1.1, "-A", "127.0.0.1", e2e.SSHAdd+" -l >/dev/null")
}

// TestAgentBudget measures this row alone: AGENT=1 go test -run TestAgentBudget.
func TestAgentBudget(t *testing.T) {
	e2e.Run(t, e2e.Bench)
	measureAlone(t, "AGENT", func() []row { return []row{agentRow(t)} })
}
