package broker

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

const inCluster = "[dockersh]\ndockersocket = kubernetes://lab\n"

// pod returns a pod of the user who runs the test, with the mark of a login host.
func (w *world) pod(mark string, as engine.State) engine.Container {
	labels := policy.Owner{UID: w.me.UID, Identity: "u=" + w.me.Name}.Labels()
	labels[engine.LabelMark] = mark
	return engine.Container{Name: w.name(), State: as, ImageID: "sha256:1", Labels: labels}
}

// Another login host may be making it, or have sessions in it.
func TestPodOfAnotherLoginHostIsNeitherEnteredNorRemoved(t *testing.T) {
	for _, as := range []engine.State{engine.Created, engine.Running, engine.Exited, engine.Dead, engine.Removing} {
		for _, lines := range []string{"", "onchange = recreate\nmemory = 1g\n", "ephemeral\n"} {
			w := newWorld(t)
			w.set(inCluster + lines)
			w.engine.Add(w.pod("0123:"+string(state.RunDir(w.broker.Run).Container(w.name())), as))
			m, _ := w.login(&wire.Login{})
			if e, isError := m.(*wire.Error); !isError || !strings.Contains(e.Text, "belongs to another login host") {
				t.Errorf("%s, %q: %+v", as, lines, m)
			}
			if w.engine.Calls("Remove")+w.engine.Calls("Start")+w.engine.Calls("Stop") > 0 {
				t.Errorf("%s, %q: it was touched", as, lines)
			}
		}
	}
}

// Its files are gone with it, but for volumes.
func TestPodThatEndedIsReplaced(t *testing.T) {
	for _, as := range []engine.State{engine.Created, engine.Exited, engine.Dead} {
		w := newWorld(t)
		w.set(inCluster)
		w.mute.Store(w.name(), true) // its sessions go over the engine's exec
		dir := state.RunDir(w.broker.Run).Container(w.name())
		w.engine.Add(w.pod(dir.Mark(), as))
		before, err := w.engine.Find(t.Context(), w.name())
		if err != nil {
			t.Fatal(err)
		}
		w.login(&wire.Login{}) // ends where the bridge would be started
		now, err := w.engine.Find(t.Context(), w.name())
		if err != nil || now.ID == before.ID || now.State != engine.Running {
			t.Errorf("%s: %+v %v", as, now, err)
		}
	}
}
