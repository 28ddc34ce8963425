package docker

import (
	"testing"

	"github.com/moby/moby/api/types/container"

	"github.com/dockersh/dockersh/internal/engine"
)

// Podman 4.3 calls a container created that ran before a reboot. A login removes what was
// merely created.
func TestContainerThatEverStartedIsNotMerelyCreated(t *testing.T) {
	e := open(t, "/nonexistent")
	for _, c := range []struct {
		status, started string
		want            engine.State
	}{
		{"created", "0001-01-01T00:00:00Z", engine.Created},
		{"created", "2026-11-27T07:00:00.5Z", engine.Exited},
		{"created", "", engine.Exited}, // not known
		{"exited", "2026-11-27T07:00:00Z", engine.Exited},
		{"running", "2026-11-27T07:00:00Z", engine.Running},
	} {
		r := &container.InspectResponse{State: &container.State{Status: container.ContainerState(c.status), StartedAt: c.started}, Config: &container.Config{}}
		if got := e.fromInspect(r).State; got != c.want {
			t.Errorf("%s, started at %q: %s, want %s", c.status, c.started, got, c.want)
		}
	}
}
