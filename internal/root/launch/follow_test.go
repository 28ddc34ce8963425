package launch

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
)

func TestAnonymousVolumesAreAttachedByName(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	former := []engine.Mount{
		{Source: "/srv", Target: "/srv"},
		{Source: "/v/home", Target: "/home/alice", Volume: "home_alice"},
		{Source: "/v/a", Target: "/data", Volume: a},
		{Source: "/v/b", Target: "/b", Volume: b, ReadOnly: true},
	}
	s := engine.Spec{Volumes: []string{"home_alice:/home/alice", "/data", "/new"}, Labels: map[string]string{}}
	if err := attachVolumes(&s, former); err != nil {
		t.Fatal(err)
	}
	want := []string{"home_alice:/home/alice", "/new", a + ":/data", b + ":/b:ro"}
	if !slices.Equal(s.Volumes, want) || s.Labels[engine.LabelVolumes] != a+" "+b {
		t.Errorf("%q %q", s.Volumes, s.Labels)
	}
	// One that the settings name is not the container's.
	s = engine.Spec{Volumes: []string{a + ":/elsewhere"}, Labels: map[string]string{}}
	if err := attachVolumes(&s, former[2:3]); err != nil || len(s.Volumes) != 1 || s.Labels[engine.LabelVolumes] != "" {
		t.Errorf("%q %q %v", s.Volumes, s.Labels, err)
	}
	// What is in one would be lost.
	for _, s := range []engine.Spec{
		{Volumes: []string{"/srv/x:/data/"}},
		{Mounts: []engine.Mount{{Source: "/x", Target: "/data"}}},
	} {
		s.Labels = map[string]string{}
		var kept lifecycle.Kept
		if err := attachVolumes(&s, former); !errors.As(err, &kept) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// A user's image names the places of its volumes.
func TestPlaceOfAVolumeNamesNoOptions(t *testing.T) {
	for _, place := range []string{"/data:O,upperdir=/etc,workdir=/w", "/data:suid,dev,exec", "/a,b", "/a\nb", "/a\x00", "/a ", "data", ""} {
		s := engine.Spec{Labels: map[string]string{}}
		var kept lifecycle.Kept
		err := attachVolumes(&s, []engine.Mount{{Target: place, Volume: strings.Repeat("a", 64)}})
		if !errors.As(err, &kept) || len(s.Volumes) > 0 {
			t.Errorf("%q: %q %v", place, s.Volumes, err)
		}
	}
}
