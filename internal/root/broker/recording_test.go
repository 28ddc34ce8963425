package broker

import (
	"os"
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

func TestLoginThatCannotBeRecordedIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root makes recordings")
	}
	top, err := os.MkdirTemp("/var/lib", "dockersh-test-") // users can write below /tmp
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	w := newWorld(t)
	w.set("[dockersh]\nrecord = " + top + "/file/%u.cast\n")
	w.enters().Close() // the container is there
	if err := os.WriteFile(top+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.refused(&wire.Login{Terminal: true}, "this session cannot be recorded")
	w.enters() // without a terminal there is nothing to be recorded
	w.eventually("no entry is left of it", func() bool { return len(w.broker.sessions.Live()) == 1 })
	// Nor where the bridge is missing; and nothing that looks like a session is left.
	w.set("[dockersh]\nrecord = " + top + "/r/%u.cast\n")
	w.refused(&wire.Login{Terminal: true}, "wrong on this host")
}
