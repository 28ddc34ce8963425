package state

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestRefusedSettingsAreNotTriedAgainForAnHour(t *testing.T) {
	dir := RunDir(t.TempDir()).Container("c")
	if err := dir.Make(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		refused bool
		age     time.Duration
		known   bool
	}{
		{false, 0, true},
		{false, 2 * time.Minute, false},
		{true, 2 * time.Minute, true},
		{true, 2 * time.Hour, false},
	} {
		if err := dir.SetKept(Kept{Settings: "s", Refused: c.refused, Why: "a\nb"}); err != nil {
			t.Fatal(err)
		}
		at := unix.NsecToTimespec(time.Now().Add(-c.age).UnixNano())
		if err := unix.UtimesNanoAt(unix.AT_FDCWD, dir.file("kept"), []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			t.Fatal(err)
		}
		k, ok := dir.Kept()
		if ok != c.known || ok && k != (Kept{Settings: "s", Refused: c.refused, Why: "a b"}) {
			t.Errorf("%+v: %+v %v", c, k, ok)
		}
	}
}
