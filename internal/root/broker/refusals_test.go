package broker

import (
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/history"
)

func TestManyRefusedLoginsAreFewLines(t *testing.T) {
	w := newWorld(t)
	for range 50 {
		c := w.dial()
		if err := c.Send(&wire.Login{Version: wire.Version + 1}); err != nil {
			t.Fatal(err)
		}
		if m, _, err := c.Recv(); err != nil || m.Kind() != wire.KindError {
			t.Fatalf("%v %v", m, err)
		}
		_ = c.Close()
	}
	if n := len(w.past.of(history.Refused)); n != 1 {
		t.Errorf("%d lines", n)
	}
	w.enters()
}
