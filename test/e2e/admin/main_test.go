//go:build e2e

// Package admin tests what the administrator does: dockershctl, the history of sessions, the
// installer image.
package admin

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
