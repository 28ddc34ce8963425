package admission

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/wait"
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
		c := NewConnections()
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
		if !c.Admit(1001) || c.Admit(1001) {
			t.Errorf("with %d files it does not serve one login", files)
		}
	}
}

func TestOneUserCannotTakeAllConnections(t *testing.T) {
	c := &Connections{ofUser: wait.Quota[uint32]{Each: 3}, ofAll: wait.Quota[struct{}]{Each: 5}}
	for range 3 {
		if !c.Admit(1) {
			t.Fatal("refused too early")
		}
	}
	if c.Admit(1) {
		t.Error("a fourth connection of one uid")
	}
	if !c.Admit(2) || !c.Admit(3) || c.Admit(4) {
		t.Error("the limit of all does not hold")
	}
	c.Release(1)
	if !c.Admit(1) {
		t.Error("a place that was released is gone")
	}
}
