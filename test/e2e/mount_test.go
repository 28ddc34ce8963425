//go:build e2e

package e2e

import "testing"

func TestMountSourceThatTheUserCouldSwapIsRefused(t *testing.T) {
	u := newBoxed(t, "mounthome", "mounthomefrom = %h/inner")
	u.file(t, "inner/mark", "y\n", 0o644)
	ssh(t, u, "true").refused(t, u.home+"/inner")
}

func TestMountSourceThatIsMissingIsNotMade(t *testing.T) {
	u := newBoxed(t, "mounthome", "mounthomefrom = /srv/none/%u")
	ssh(t, u, "true").refused(t, "/srv/none/"+u.name)
	if run(t, "sh", "-c", "ls /srv") == "none" {
		t.Error("it was made")
	}
}
