//go:build e2e

package e2e

import (
	"errors"
	"testing"

	gossh "golang.org/x/crypto/ssh"
)

func TestDeathBySignalReachesTheClient(t *testing.T) {
	for _, name := range []string{"TERM", "KILL", "FPE", "HUP", "INT", "USR1"} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, u *account) {
				err := session(t, u).Run("kill -" + name + " $$; sleep 1; echo alive")
				var exit *gossh.ExitError
				if !errors.As(err, &exit) {
					t.Fatalf("no exit-signal but %v", err)
				}
				if exit.Signal() != name {
					t.Errorf("signal %q, status %d; want %s", exit.Signal(), exit.ExitStatus(), name)
				}
			})
		})
	}
}

func TestCoreDumpIsNoNews(t *testing.T) {
	both(t, func(t *testing.T, u *account) {
		err := session(t, u).Run("kill -SEGV $$")
		var exit *gossh.ExitError
		if !errors.As(err, &exit) || exit.Signal() != "SEGV" {
			t.Errorf("%v, want exit-signal SEGV", err)
		}
	})
}
