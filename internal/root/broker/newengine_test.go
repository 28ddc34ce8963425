package broker

import (
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// Containers of one name on two engines share a directory: the agent of one must not meet the
// logins to the other.
func TestAnotherEngineInTheSettingsIsUsedOnceNobodyIsInTheContainer(t *testing.T) {
	for _, ephemeral := range []string{"", "ephemeral\nlinger = 1h\n"} {
		t.Run(ephemeral, func(t *testing.T) {
			w := newWorld(t)
			w.addEngine()
			w.set("[dockersh]\n" + ephemeral)
			first := w.enters()
			w.set("[dockersh]\n" + ephemeral + "dockersocket = " + secondAddress + "\n")
			second := w.enters() // where others are
			if state := w.stateOn(w.second); state != "" {
				t.Errorf("on the second engine, while somebody is in the container on the first: %s", state)
			}
			_, _ = first.Close(), second.Close()
			w.eventually("they are over", func() bool { return len(w.broker.sessions.Live()) == 0 })

			w.enters()
			had, has := w.stateOn(w.engine), w.stateOn(w.second)
			want := engine.Exited
			if ephemeral != "" {
				want = ""
			}
			if had != want || has != engine.Running {
				t.Errorf("on the first engine %q, on the second %q", had, has)
			}
		})
	}
}

// The engine of former settings may be gone.
func TestEngineThatTheSettingsNoLongerNameMayBeGone(t *testing.T) {
	w := newWorld(t)
	w.addEngine()
	w.set("[dockersh]\n")
	w.loginOnce(&wire.Login{})
	w.engine.Fail("Find", engine.ErrDown)
	w.set("[dockersh]\ndockersocket = " + secondAddress + "\n")
	w.enters()
	if has := w.stateOn(w.second); has != engine.Running {
		t.Errorf("on the second engine %q", has)
	}
}

// /run/docker.sock and /var/run/docker.sock are one engine.
func TestAnotherPathOfTheSameEngineChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.set("[dockersh]\nephemeral\nlinger = 1h\ndockersocket = /var/run/docker.sock\n")
	w.loginOnce(&wire.Login{})
	w.set("[dockersh]\nephemeral\nlinger = 1h\ndockersocket = /run/docker.sock\n")
	if w.loginOnce(&wire.Login{}) || w.engine.Calls("Stop") > 0 {
		t.Error("the container was stopped, or another one made")
	}
}

// stateOn returns the state of the container on an engine; empty without one.
func (w *world) stateOn(e *enginetest.Fake) engine.State {
	found, err := e.Find(w.Context(), w.name())
	if err != nil {
		return ""
	}
	return found.State
}
