package launch

import (
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

func TestVolumesOfAForeignImageDoNotMeetDirectoriesOfTheHost(t *testing.T) {
	home := engine.Mount{Source: "/home/a", Target: "/home/a"}
	image := engine.Mount{Source: "/var/lib/docker/volumes/x/_data", Target: "/a/x"}
	for _, c := range []struct {
		mounts []engine.Mount
		asked  []string
		want   bool
	}{
		{[]engine.Mount{home}, nil, false},
		{[]engine.Mount{image}, nil, false},
		{[]engine.Mount{home, image}, nil, true},
		{[]engine.Mount{home, image}, []string{"named:/a/x"}, false},
		{[]engine.Mount{{Source: "/h", Target: engine.OwnDir}, image}, nil, false},
	} {
		if got := bringsVolumes(&engine.Container{Mounts: c.mounts, Binds: []string{"/home/a", "/h"}}, c.asked); got != c.want {
			t.Errorf("%v, %q: %v", c.mounts, c.asked, got)
		}
	}
}

// planFor returns the plan of a login of alice.
func planFor(t *testing.T, lines string) *policy.Plan {
	t.Helper()
	return planWith(t, lines, "")
}

// planWith is planFor with a ~/.dockersh.
func planWith(t *testing.T, lines, own string) *policy.Plan {
	t.Helper()
	file, err := config.Parse("rc", []byte("[dockersh]\n"+lines+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	alice := account.User{Name: "alice", UID: 1001, GID: 1001}
	effective, err := settings.For(file, settings.Login{User: alice, UserFile: func(string) ([]byte, error) { return []byte(own), nil }})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := policy.Decide(alice, effective.Settings, policy.Request{Admins: effective.Admins})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}
