//go:build e2e

package e2e

import "testing"

func TestExitStatusReachesTheClient(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		ssh(t, u, "true").want(t, "", "", 0)
		ssh(t, u, "exit 44").want(t, "", "", 44)
		ssh(t, u, "false").want(t, "", "", 1)
		ssh(t, u, "exit 254").want(t, "", "", 254)
		if got := ssh(t, u, "/no/such/program").status; got != 127 {
			t.Errorf("status %d of a missing program, want 127", got)
		}
		if got := ssh(t, u, "/etc/passwd").status; got != 126 {
			t.Errorf("status %d of a file that is no program, want 126", got)
		}
	})
}
