package broker

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Limits of the user hold for a broker with the user's own rights.
func TestBrokerThatMayOpenFewFilesServesItsOneLogin(t *testing.T) {
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	for _, files := range []uint64{64, 448, 449} {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: was.Max}); err != nil {
			t.Fatal(err)
		}
		l := newLimits()
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
		if !l.admitConn(1001) || l.admitConn(1001) {
			t.Errorf("with %d files it does not serve one login", files)
		}
	}
}
