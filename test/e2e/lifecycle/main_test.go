//go:build e2e

// Package lifecycle tests how a container comes and goes: pulled, made, kept, stopped when idle,
// recreated, removed.
package lifecycle

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
