//go:build e2e

// Package doors tests the three ways to a broker, and what a hostile user tries at them: the
// socket of the service, the setuid shell, the broker with the user's own rights.
package doors

import (
	"os"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	if name := os.Getenv("ATTACK"); name != "" {
		os.Exit(attackMain(name))
	}
	e2e.Main(m)
}
