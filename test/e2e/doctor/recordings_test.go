//go:build e2e

package doctor

import (
	"testing"

	"github.com/dockersh/dockersh/test/e2e"
)

// The doctor finds a fault exactly where a login cannot be recorded.
func TestDoctorFindsWhatWouldStopARecording(t *testing.T) {
	e2e.Run(t, e2e.BehindDoors)
	for _, c := range []struct {
		name, record string
		spoil        func(t *testing.T)
		refused      bool
	}{
		{"a directory that is made", "/srv/tapes/%u/%x.cast", func(*testing.T) {}, false},
		{"the user's home", "%h/%x.cast", func(*testing.T) {}, true},
		{"a full disk", "/srv/tapes/%u/%x.cast", func(t *testing.T) { fullDisk(t, "/srv/tapes") }, true},
		{"a service that may not write", "/srv/tapes/%u/%x.cast", func(t *testing.T) { serviceReadsOnly(t, "/srv") }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := soundHost(t, "record = "+c.record)
			e2e.CanLogIn(t, u)
			t.Cleanup(func() { e2e.OnHost(t, "rm", "-rf", "/srv/tapes") })
			c.spoil(t)
			found, _, _ := runDoctor(t, u, accepted, "--no-login")
			r := e2e.SSH(t, u, "-tt", "--", "true")
			if told := find(found, "recordings") != nil; told != c.refused || (r.Status == 255) != c.refused || len(found) > 1 {
				t.Errorf("found %v; the login: %+v", ids(found), r)
			}
		})
	}
}
