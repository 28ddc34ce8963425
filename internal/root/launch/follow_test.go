package launch

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/enginetest"
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

// withVolume is an engine that makes containers of an image with a volume in a directory of the
// host.
type withVolume struct{ *enginetest.Fake }

func (e withVolume) Create(ctx context.Context, s engine.Spec) (*engine.Container, error) {
	c, err := e.Fake.Create(ctx, s)
	if err == nil {
		c.Binds = []string{"/home/alice"}
		c.Mounts = []engine.Mount{{Source: "/home/alice", Target: "/home/alice"}, {Source: "/v", Target: "/home/alice/x", Volume: "v"}}
	}
	return c, err
}

func TestVolumesOfAForeignImageDoNotMeetDirectoriesThatAreMountedNow(t *testing.T) {
	home := engine.Mount{Source: "/home/alice", Target: "/home/alice"}
	former := []engine.Mount{{Source: "/v", Target: "/home/alice/x", Volume: strings.Repeat("a", 64)}}
	for what, c := range map[string]struct {
		spec   engine.Spec
		former []engine.Mount
		want   bool
	}{
		"nothing of the host":       {engine.Spec{}, former, false},
		"nothing of the image":      {engine.Spec{Mounts: []engine.Mount{home}}, nil, false},
		"the home":                  {engine.Spec{Mounts: []engine.Mount{home}}, former, true},
		"a directory of the host":   {engine.Spec{Volumes: []string{"/srv:/home/alice:ro"}}, former, true},
		"a named volume":            {engine.Spec{Volumes: []string{"named:/home/alice"}}, former, false},
		"what was the host's until": {engine.Spec{}, append(former, home), false},
	} {
		if got := bringsVolumes(planned(c.spec, c.former), nil); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}

	// The image that its next container is made from may have others.
	plan := planWith(t, "enableuserconfig\nenableuserimagename", "[dockersh]\nimagename = evil/x\n")
	e := enginetest.New()
	e.AddImage("evil/x", "sha256:1", nil)
	f := &Follower{t: &Target{l: New(Config{Log: slog.New(slog.DiscardHandler)}), plan: plan, engine: withVolume{e}, show: func(string) {}},
		p: prepared{spec: engine.Spec{Name: "alice_dockersh", Image: "evil/x"}}}
	var kept lifecycle.Kept
	if _, err := f.Make(t.Context(), ""); !errors.As(err, &kept) || e.Calls("Start") > 0 {
		t.Errorf("%v, %d starts", err, e.Calls("Start"))
	}
}

func TestNothingIsCarriedOverToMountsOrDiskLimitsOfDockeropt(t *testing.T) {
	for _, option := range []string{"--mount type=volume,target=/data", "-v /data", "--storage-opt size=1G"} {
		plan := planFor(t, "dockeropt = "+option)
		labels := plan.Owner.Labels()
		labels[engine.LabelAgent], labels[engine.LabelImageBy] = "a", engine.ImageByAdministrator
		target := &Target{plan: plan} // the engine is not asked
		var kept lifecycle.Kept
		_, err := target.PrepareFollower(t.Context(), &engine.Container{Image: plan.Settings.ImageName, Labels: labels})
		if !errors.As(err, &kept) || !strings.HasPrefix(string(kept), "dockeropt has -") {
			t.Errorf("%s: %v", option, err)
		}
	}
}
