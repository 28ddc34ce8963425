//go:build e2e && bench

// Package bench measures dockersh beside what it stands for, side by side in one run.
package bench

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
