//go:build e2e

package session

import (
	"errors"
	"testing"

	gossh "golang.org/x/crypto/ssh"

	"github.com/dockersh/dockersh/test/e2e"
)

const noSignals = "the engine reports death by signal N as exit code 128+N, which a command may as well return"

func TestDeathBySignalReachesTheClient(t *testing.T) {
	e2e.Run(t, e2e.EveryDoor)
	for _, name := range []string{"TERM", "KILL", "FPE", "HUP", "INT", "USR1"} {
		t.Run(name, func(t *testing.T) {
			e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
				e2e.NeedsAgent(t, u, noSignals)
				err := e2e.GoSession(t, u).Run("kill -" + name + " $$; sleep 1; echo alive")
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

func TestCoreDumpIsReportedAsItsSignal(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	e2e.ForEachUser(t, func(t *testing.T, u *e2e.Account) {
		e2e.NeedsAgent(t, u, noSignals)
		err := e2e.GoSession(t, u).Run("kill -SEGV $$")
		var exit *gossh.ExitError
		if !errors.As(err, &exit) || exit.Signal() != "SEGV" {
			t.Errorf("%v, want exit-signal SEGV", err)
		}
	})
}
