//go:build e2e

// Package settings tests that each setting has its effect, and that bad settings stop a login.
package settings

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
