package proc

import "testing"

func TestTerminalHasTheNameThatPsShows(t *testing.T) {
	for tty, want := range map[uint32]string{0: "", 34816: "pts/0", 34819: "pts/3", 136<<8 | 1<<20 | 2: "pts/258", 4<<8 | 1: "tty1", 4<<8 | 64: "ttyS0", 5 << 8: ""} {
		if got := Terminal(tty); got != want {
			t.Errorf("%d: %q, want %q", tty, got, want)
		}
	}
}
