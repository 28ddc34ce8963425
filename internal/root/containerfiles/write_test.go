package containerfiles

import (
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
)

func TestFilesOfTheHostAreNotHandedOver(t *testing.T) {
	c := &engine.Container{
		Mounts: []engine.Mount{{Source: "/srv/homes", Target: "/home/"}, {Source: "/var/lib/volume", Target: "/data"}},
		Binds:  []string{"/srv/homes"},
	}
	same := idmap.Ranges{{Inside: 0, Outside: 0, Count: 1 << 16}}
	for home, want := range map[string]uint32{"/home/alice": 0, "/data/alice": 999, "/homes/alice": 999} {
		if got := formerOnHost(same, engine.File{Path: home, FromUID: 999}, c); got != want {
			t.Errorf("%s: %d", home, got)
		}
	}
}
