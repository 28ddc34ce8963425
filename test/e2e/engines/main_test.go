//go:build e2e

// Package engines tests Podman, a rootless Podman, an engine on another host, user namespaces,
// and containers made by hand.
package engines

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
