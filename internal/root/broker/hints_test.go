package broker

import (
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// An administrator with Podman has no docker to run.
func TestHintsNameTheEnginesOwnProgram(t *testing.T) {
	const adopt = "[dockersh]\nadopt\n"
	for _, c := range []struct {
		settings string
		state    engine.State // of a container that was made by hand; empty: there is none
		want     string
	}{
		{"[dockersh]\nimagename = nosuch\npull = never\n", "", "podman pull nosuch"},
		{adopt, "", "podman create --name "},
		{adopt, engine.Paused, "podman unpause "},
		{adopt, engine.Dead, "podman rm "},
	} {
		w := newWorld(t)
		w.engine.ProgramName = "podman"
		w.set(c.settings)
		if c.state != "" {
			w.engine.Add(engine.Container{Name: w.name(), State: c.state, ImageID: "sha256:1"})
		}
		m, _ := w.login(&wire.Login{})
		if e, ok := m.(*wire.Error); !ok || !strings.Contains(e.Hint, "run: "+c.want) {
			t.Errorf("%q: %+v", c.want, m)
		}
	}
}
