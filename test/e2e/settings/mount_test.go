//go:build e2e

package settings

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

func TestMountSourceThatTheUserCouldSwapIsRefused(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "mounthome", "mounthomefrom = %h/inner")
	u.WriteFile(t, "inner/mark", "y\n", 0o644)
	e2e.SSH(t, u, "true").Refused(t, u.Home+"/inner")
}

func TestMissingMountSourceIsNotCreated(t *testing.T) {
	e2e.Run(t, e2e.AnyDoor)
	u := e2e.NewUser(t, "mounthome", "mounthomefrom = /srv/none/%u")
	e2e.SSH(t, u, "true").Refused(t, "/srv/none/"+u.Name)
	if e2e.OnHost(t, "sh", "-c", "ls /srv") == "none" {
		t.Error("it was made")
	}
}
