//go:build e2e

package session

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestExitStatusReachesTheClient(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.SSH(t, u, "true").Want(t, "", "", 0)
		e2e.SSH(t, u, "exit 44").Want(t, "", "", 44)
		e2e.SSH(t, u, "false").Want(t, "", "", 1)
		e2e.SSH(t, u, "exit 254").Want(t, "", "", 254)
		if got := e2e.SSH(t, u, "/no/such/program").Status; got != 127 {
			t.Errorf("status %d of a missing program, want 127", got)
		}
		if got := e2e.SSH(t, u, "/etc/passwd").Status; got != 126 {
			t.Errorf("status %d of a file that is not a program, want 126", got)
		}
	})
}
