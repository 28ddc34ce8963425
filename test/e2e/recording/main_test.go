//go:build e2e

// Package recording tests that recordings hold what a terminal showed, and who can watch one.
package recording

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
