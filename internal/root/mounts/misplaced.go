package mounts

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/proto/usererr"
)

// OwnFile is a file of ours, and the path at which a container must have it.
type OwnFile struct{ Inside, Ours string }

// ErrNotSeen is returned where the caller may not look into a container: it has not root's
// rights, and process 1 is another user's.
var ErrNotSeen = errors.New("process 1 of the container is another user's")

// One is process 1 of a container: its primary group and its supplementary groups, as this
// host numbers them, and its pid namespace; nil where the caller may not see it.
type One struct {
	GID    uint32
	Groups []uint32
	PIDs   os.FileInfo
}

// OpenRoot opens the root directory of a container on this host that runs, and returns its
// user namespace and process 1. The namespace is read last: a process 1 that a user wrote may move into
// namespaces that it prepared, where everything seems to be in its place and the root is a
// directory of the host. With ErrNotSeen the namespace is returned nevertheless.
func OpenRoot(found *engine.Container) (*rootfs.Root, idmap.Map, One, error) {
	if found.Root == "" {
		return nil, idmap.Map{}, One{}, errors.New("the engine does not know process 1 of the container")
	}
	process, err := proc.Hold(found.Pid)
	if err != nil {
		return nil, idmap.Map{}, One{}, err
	}
	defer process.Close()
	var one One
	one.GID, one.Groups, err = process.Groups()
	if err != nil {
		return nil, idmap.Map{}, One{}, err
	}
	one.PIDs, _ = os.Stat(process.Path("ns/pid"))
	root, rootErr := rootfs.Open(found.Root, 0)
	users, err := idmap.Of(process)
	if err != nil {
		_ = root.Close()
		return nil, idmap.Map{}, One{}, err
	}
	if errors.Is(rootErr, unix.EACCES) && os.Geteuid() != 0 {
		return nil, users, one, ErrNotSeen
	}
	if rootErr != nil {
		return nil, idmap.Map{}, One{}, rootErr
	}
	root.SetRootUID(users.Users.OutOrNobody(0))
	return root, users, one, nil
}

// FindMisplaced returns the first place in a container where something else is than our
// file, or than what is to be mounted there; empty: there is none. Users may later rename
// what is above a mount, so mounts are to be looked at right after a start.
func FindMisplaced(root *rootfs.Root, files []OwnFile, mounts []engine.Mount) (string, error) {
	for _, f := range files {
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
	return usererr.New(usererr.Container,
		"the container "+container+" does not have at "+place+" what was to be mounted there: a link, or another mount, is in the way",
		"ask the administrator to run: dockershctl reset "+container, nil)
}
