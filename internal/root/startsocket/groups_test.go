package startsocket

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/seqpacket"
	"github.com/dockersh/dockersh/internal/root/state"
)

func TestSocketsOfAgentsThatEndedAreRemoved(t *testing.T) {
	dir := state.ContainerDir(t.TempDir())
	bind := func(key string, backlog int) (path string, fd int) {
		t.Helper()
		path = dir.AgentSocket(key)
		fd, err := seqpacket.Bind(path, 0o600, backlog)
		if err != nil {
			t.Fatal(err)
		}
		return path, fd
	}
	if FindAgents(dir, "self-1001") {
		t.Error("there is none")
	}
	for _, key := range []string{"self-1001", "self-1001.0123", "self-1001.4567"} {
		_, fd := bind(key, 1)
		_ = unix.Close(fd)
	}
	other, fd := bind("self-100", 1)
	_ = unix.Close(fd)
	if left := dir.AgentSockets(); FindAgents(dir, "self-1001") || len(dir.AgentSockets()) != 1 || len(left) != 4 {
		t.Errorf("%v of %v are left", dir.AgentSockets(), left)
	}
	if _, err := os.Lstat(other); err != nil {
		t.Errorf("the socket of another user: %v", err)
	}
	live, fd := bind("self-1001.89ab", 0)
	defer unix.Close(fd)
	for range 3 { // its queue is full in the end
		if !FindAgents(dir, "self-1001") {
			t.Error("the one that listens")
		}
		if _, err := os.Lstat(live); err != nil {
			t.Error(err)
		}
	}
}

func TestAgentIsKnownByItsGroups(t *testing.T) {
	for what, c := range map[string]struct {
		g    Groups
		gid  uint32
		have []uint32
		want role
	}{
		"none, as process 1":                      {Groups{GID: 5, OneGID: 5}, 5, nil, asWanted},
		"the engine counts the primary one":       {Groups{GID: 5, OneGID: 5}, 5, []uint32{5}, asWanted},
		"those of the login":                      {Groups{GID: 5, OneGID: 5, Wanted: []uint32{7}}, 5, []uint32{5, 7}, asWanted},
		"process 1 without them":                  {Groups{GID: 5, OneGID: 5, Wanted: []uint32{7}}, 5, []uint32{5}, asOne},
		"of a login before":                       {Groups{GID: 5, OneGID: 5, Wanted: []uint32{7}}, 5, []uint32{5, 7, 8}, useless},
		"what all have":                           {Groups{GID: 5, OneGID: 5, Wanted: []uint32{7}, One: []uint32{44}}, 5, []uint32{7, 44}, asWanted},
		"one is missing":                          {Groups{GID: 5, OneGID: 5, Wanted: []uint32{7, 8}}, 5, []uint32{7}, useless},
		"one is missing, and will do":             {Groups{GID: 5, OneGID: 5, Wanted: []uint32{7, 8}, fewer: true}, 5, []uint32{7}, asWanted},
		"one too many, where fewer will do":       {Groups{GID: 5, OneGID: 5, Wanted: []uint32{7}, fewer: true}, 5, []uint32{0}, useless},
		"root's group for want of an entry":       {Groups{GID: 5, OneGID: 5}, 0, nil, useless},
		"process 1 with an earlier primary group": {Groups{GID: 6, OneGID: 5}, 5, nil, asOne},
	} {
		if got := c.g.roleOf(c.gid, c.have); got != c.want {
			t.Errorf("%s: %d, want %d", what, got, c.want)
		}
	}
}
