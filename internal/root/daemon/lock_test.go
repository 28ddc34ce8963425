package daemon

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/paths"
)

// A broker was killed in the middle of starting a process, which has its lock for a moment.
func TestLockOfABrokerThatWasKilledIsWaitedFor(t *testing.T) {
	defer func(run string) { paths.Run = run }(paths.Run)
	paths.Run = t.TempDir()
	held, err := unix.Open(paths.Lock(), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(held, unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(200*time.Millisecond, func() { _ = unix.Close(held) })
	if err := lockSocket(); err != nil {
		t.Error(err)
	}
}
