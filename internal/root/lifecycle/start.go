package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/mounts"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// MountedHome is an idmapped home as it was mounted; its From is empty where there is
// none.
type MountedHome struct {
	policy.Home
	users, groups idmap.Ranges
}

// Fits reports whether it was mounted for the user namespace that the container has.
func (h MountedHome) Fits(m idmap.Map) bool {
	users, groups := hostOwners(h.Home, m)
	return slices.Equal(users, h.users) && slices.Equal(groups, h.groups)
}

// ErrStillMounted is returned when the container has started and its home could not be
// unmounted on the host.
var ErrStillMounted = errors.New("cannot unmount a home")

// MadeFrom returns what a container was made from, by its labels.
func MadeFrom(c *engine.Container, at engine.Address) state.Made {
	owner, _ := policy.OwnerOf(c.Labels)
	image, _ := c.Base()
	return state.Made{UID: owner.UID, Settings: c.Labels[engine.LabelSettings], Image: image,
		ImageID: c.Labels[engine.LabelImage], Fixed: c.Labels[engine.LabelFixed], Engine: at.Host}
}

// Start starts a container. An idmapped home is mounted for the moment of the start,
// from which the engine makes a mount of its own: so none is left over, whatever becomes
// of the container, and none is missing after a reboot. The directory is removed too, so
// that a container started by hand fails instead of coming up with an empty home. With
// ErrStillMounted the container has started.
func Start(ctx context.Context, e engine.Engine, c state.ContainerDir, found *engine.Container) (home MountedHome, err error) {
	if home.Home, err = policy.ParseHome(found.Labels[engine.LabelHome]); err != nil {
		return home, err
	}
	if err := RecordSources(c, found); err != nil {
		return home, err
	}
	if home.From == "" {
		return home, e.Start(ctx, found.ID)
	}
	remap, err := e.Remap(ctx)
	if err != nil {
		return home, err
	}
	if err := mounts.CheckMountSource(home.From); err != nil {
		return home, err
	}
	at := c.Home()
	unmount := func() error { return errors.Join(idmap.Unmount(at), removeDir(at)) }
	if err := unmount(); err != nil { // left by a broker that was killed
		return home, err
	}
	if err := os.Mkdir(at, 0o755); err != nil {
		return home, err
	}
	home.users, home.groups = hostOwners(home.Home, expectedMap(remap, found))
	if err = idmap.Mount(home.From, at, home.users, home.groups); err == nil {
		err = e.Start(ctx, found.ID)
	}
	unmountErr := unmount()
	switch {
	case errors.Is(err, idmap.ErrCannot):
		return home, usererr.New(usererr.Container, "the home "+home.From+" cannot be mounted in a container with user numbers of its own",
			"ask the administrator to run: stat -f "+home.From+
				" (it takes Linux 5.12 or newer and a file system with idmapped mounts, or an engine without userns-remap)", err)
	case err == nil && unmountErr != nil:
		return home, fmt.Errorf("%w: %s: %w", ErrStillMounted, at, unmountErr)
	}
	return home, errors.Join(err, unmountErr)
}

func removeDir(dir string) error {
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}

// expectedMap is the user namespace as the engine describes it before the container
// runs.
func expectedMap(remap engine.Remap, found *engine.Container) idmap.Map {
	if !remap.On || found.HostUsers {
		remap = engine.Remap{}
	}
	from := func(first uint32) idmap.Ranges { return idmap.Ranges{{Outside: first, Count: 1<<32 - 1 - first}} }
	return idmap.Map{Users: from(remap.UID), Groups: from(remap.GID)}
}

// hostOwners maps each owner on disk to the number on the host of the container's user
// that owns the files inside. Owners without such a number are left out.
func hostOwners(home policy.Home, m idmap.Map) (users, groups idmap.Ranges) {
	through := func(pairs []policy.Pair, r idmap.Ranges) (out idmap.Ranges) {
		for _, p := range pairs {
			if host, ok := r.Out(p.Inside); ok {
				out = append(out, idmap.Range{Inside: p.Disk, Outside: host, Count: 1})
			}
		}
		return out
	}
	return through(home.Users, m.Users), through(home.Groups, m.Groups)
}
