//go:build e2e

// Package faults tests what becomes of sessions and containers when a part dies, or when
// hundreds come at once.
package faults

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
