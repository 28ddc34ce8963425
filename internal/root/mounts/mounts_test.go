package mounts

import (
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

func TestMountWhereUsersCanMakeALinkIsRefused(t *testing.T) {
	for _, c := range []struct {
		home    string
		targets []string
		refused bool
	}{
		{"/home/alice", []string{"/home/alice", "/mnt", "/home/alicea"}, false},
		{"/home/alice/", []string{"/home/alice"}, false},
		{"/home/alice", []string{"/home/alice/data"}, true},
		{"/home/alice/", []string{"/home/alice", "/home/alice/data"}, true},
		{"/", []string{"/mnt", "/data/in"}, false}, // this home is not the user's
		{"", []string{"/mnt"}, false},
		{"/root", []string{"/tmp", "/var/tmp"}, false},
		{"/root", []string{"/tmp/x"}, true},
		{"/root", []string{"/data", "/data/in"}, true},
		{"/root", []string{engine.OwnDir, engine.OwnDir + "/run"}, false},
	} {
		found := &engine.Container{Name: "c"}
		for _, target := range c.targets {
			found.Mounts = append(found.Mounts, engine.Mount{Source: "/nonexistent", Target: target})
		}
		if err := CheckMountTargets(found, c.home, false); (err != nil) != c.refused {
			t.Errorf("home %q, mounts at %q: %v", c.home, c.targets, err)
		}
	}
}
