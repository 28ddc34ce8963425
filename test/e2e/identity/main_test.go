//go:build e2e

// Package identity tests who a user is inside, and which container is theirs: by user, group,
// client address or key.
package identity

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	e2e.Main(m)
}
