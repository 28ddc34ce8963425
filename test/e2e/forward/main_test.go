//go:build e2e

// Package forward tests what ssh carries into a session: the user's ssh agent and X11.
package forward

import (
	"os"
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == hostileAgent {
		os.Exit(beHostileAgent())
	}
	e2e.Main(m)
}
