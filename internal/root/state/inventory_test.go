package state

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestUnfinishedEntriesAreRemoved(t *testing.T) {
	d := Inventory(t.TempDir())
	long, short := d.path("a")+unfinished, d.path("b")+unfinished
	for _, path := range []string{long, short} {
		if err := os.Symlink("x", path); err != nil {
			t.Fatal(err)
		}
	}
	before := unix.NsecToTimeval(time.Now().Add(-2 * unfinishedLimit).UnixNano())
	if err := unix.Lutimes(long, []unix.Timeval{before, before}); err != nil {
		t.Fatal(err)
	}
	d.RemoveUnfinished()
	if _, err := os.Lstat(long); err == nil {
		t.Error("an old one is there")
	}
	if _, err := os.Lstat(short); err != nil {
		t.Errorf("one that is being written: %v", err)
	}
}
