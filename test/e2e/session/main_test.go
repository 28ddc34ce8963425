//go:build e2e

// Package session tests what a session is to its client: exit codes, signals, bytes in both
// directions, environment, the ways in (ssh, su, sudo, login, ForceCommand).
package session

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
