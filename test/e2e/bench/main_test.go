//go:build e2e && bench

// Package bench measures dockersh beside what it stands for, side by side in one run.
package bench

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMain(m *testing.M) {
	// On a disk, as those of users. On tmpfs the kernel does not remember that there is no
	// ~/.dockersh, so that each login would start a process to look (openat2(2), RESOLVE_CACHED).
	const disk, at = "/var/tmp/homes", "/run/disk" // others may write in /var/tmp, so no home below it is mounted
	if err := errors.Join(os.MkdirAll(disk, 0o755), os.MkdirAll(at, 0o755), unix.Mount(disk, at, "", unix.MS_BIND, "")); err != nil {
		panic(err)
	}
	e2e.Homes = at + "/home"
	e2e.Main(m)
}
