//go:build e2e && bench

// Package bench measures dockersh beside what it stands for, side by side in one run.
package bench

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	// On a disk, as those of users. On tmpfs the kernel does not remember that there is no
	// ~/.dockersh, so that each login would start a process to look (openat2(2), RESOLVE_CACHED).
	e2e.Homes = "/var/tmp/home"
	e2e.Main(m)
}
