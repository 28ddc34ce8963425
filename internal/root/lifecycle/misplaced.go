package lifecycle

import (
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// OwnFile is a file of ours, and the path at which a container must have it.
type OwnFile struct{ Inside, Ours string }

// OpenRoot opens the root directory of a container on this host that runs.
func OpenRoot(found *engine.Container, users idmap.Map) (*rootfs.Root, error) {
	if found.Root == "" {
		return nil, errors.New("the engine does not know process 1 of the container")
	}
	return rootfs.Open(found.Root, users.Users.Owner(0))
}

// FindMisplaced returns the first place in a container where something else is than our
// file, or than what is to be mounted there; empty: there is none. Users may later rename
// what is above a mount, so mounts are to be looked at right after a start.
func FindMisplaced(root *rootfs.Root, own []OwnFile, mounts []engine.Mount) (string, error) {
	for _, f := range own {
		if is, err := root.Has(f.Inside, f.Ours); err != nil || !is {
			return f.Inside, err
		}
	}
	for _, m := range mounts {
		if is, err := root.IsInPlace(m.Target); err != nil || !is {
			return m.Target, err
		}
	}
	return "", nil
}

// ErrMisplaced returns the error for a container with something else at a place.
func ErrMisplaced(container, place string) error {
	return usererr.New(usererr.Container, "the container "+container+" does not have at "+place+" what was to be mounted there: a link, or another mount, is in the way",
		"ask the administrator to run: dockershctl reset "+container, nil)
}
