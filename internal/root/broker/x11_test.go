package broker

import (
	"testing"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// forwarded returns what a login learns of its display and of its ssh agent.
func (w *joinWorld) forwarded(m *wire.Login) (x11, agent bool) {
	w.Helper()
	got, _ := w.login(m)
	ready, ok := got.(*wire.Ready)
	if !ok {
		w.Fatalf("got %#v", got)
	}
	return ready.X11, ready.SSHAgent
}

func TestDisplayIsReachedWhereTheConnectionIsInTheContainer(t *testing.T) {
	w := newJoinWorld(t)
	if x11, agent := w.forwarded(&wire.Login{X11: true}); x11 || !agent {
		t.Errorf("beside a connection: %v, %v", x11, agent)
	}
	_, c := w.joins("")
	for _, step := range []struct {
		what, settings string
		asks, want     bool
	}{
		{"the container of the connection", "", true, true},
		{"nobody asked", "", false, false},
		{"the settings forbid it", "forwardx11 = false", true, false},
		{"another container", "containername = %u_other", true, false},
		{"a shared one, as root", "containername = shared\n\tcontainerusername = root", true, false},
	} {
		w.set("[dockersh]\n\t" + step.settings + "\n")
		if x11, _ := w.forwarded(&wire.Login{X11: step.asks}); x11 != step.want {
			t.Errorf("%s: %v", step.what, x11)
		}
	}
	_ = c.Close()
	w.eventually("the connection's entry goes", func() bool {
		for _, s := range w.broker.sessions.Live() {
			if s.Connection {
				return false
			}
		}
		return true
	})
	w.set("[dockersh]\n\tcontainername = %u_host\n\tnetwork = host\n")
	if x11, _ := w.forwarded(&wire.Login{X11: true}); !x11 {
		t.Error("the host's network: false")
	}
}
