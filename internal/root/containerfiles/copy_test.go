package containerfiles

import (
	"os"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// While the engine copies, it mounts all that belongs into the container along paths that
// somebody may be changing.
func TestEngineCopiesNothingIntoAContainerWithMountsOfUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a user's broker has the engine copy all files")
	}
	ours := []engine.Mount{{Target: engine.OwnDir}, {Target: engine.RunInside}}
	for _, c := range []struct {
		settings config.Settings
		mounts   []engine.Mount
		late     bool
	}{
		{config.Settings{Entrypoint: config.Internal, DockerSocket: "/s"}, ours, true},
		{config.Settings{Entrypoint: "/sbin/init", DockerSocket: "/s"}, ours, false},
		{config.Settings{Entrypoint: "/sbin/init", DockerSocket: "/s"}, append(ours, engine.Mount{Target: "/home/alice"}), true},
		{config.Settings{Entrypoint: config.Internal, DockerSocket: "ssh://d@h"}, nil, false},
	} {
		if late := AreLate(&policy.Plan{Settings: &c.settings}, &engine.Container{Mounts: c.mounts}); late != c.late {
			t.Errorf("%q, %v: %v", c.settings.Entrypoint, c.mounts, late)
		}
	}
}
