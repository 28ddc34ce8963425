//go:build e2e

// Package doctor tests that dockershctl doctor finds what is wrong with a host, and only that.
package doctor

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
