//go:build e2e

// Package terminal tests sessions on a terminal: size, modes, job control, every byte.
package terminal

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
