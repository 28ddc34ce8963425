package life

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
	"github.com/dockersh/dockersh/internal/root/rundir"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Mapped is a home as it was mounted; its From is empty when there is none of
// mapped owners.
type Mapped struct {
	Home          policy.Home
	users, groups idmap.Ranges
}

// Fits tells whether it was mounted for the user namespace that the container has.
func (made Mapped) Fits(m idmap.Map) bool {
	users, groups := owners(made.Home, m)
	return slices.Equal(users, made.users) && slices.Equal(groups, made.groups)
}

// ErrLeft is a home that is mounted still though the container has started.
var ErrLeft = errors.New("cannot unmount a home")

// Start starts a container. A home of mapped owners is mounted for the
// moment of the start: the engine makes a mount of its own from it. So none is
// left over, whatever becomes of the container, and none is missed after a reboot.
// The directory goes too: a container that is started by hand does not find it,
// and does not come up with an empty home. With ErrLeft it has started.
func Start(ctx context.Context, e engine.Engine, d rundir.Dir, found *engine.Container) (made Mapped, err error) {
	if made.Home, err = policy.ParseHome(found.Labels[engine.LabelHome]); err != nil {
		return made, err
	}
	if made.Home.From == "" {
		return made, e.Start(ctx, found.ID)
	}
	remap, err := e.Remap(ctx)
	if err != nil {
		return made, err
	}
	if err := Mountable(made.Home.From); err != nil {
		return made, err
	}
	at := d.Home()
	unmount := func() error { return errors.Join(idmap.Unmount(at), removeDir(at)) }
	if err := unmount(); err != nil { // of a broker that was killed
		return made, err
	}
	if err := os.Mkdir(at, 0o755); err != nil {
		return made, err
	}
	made.users, made.groups = owners(made.Home, told(remap, found))
	if err = idmap.Mount(made.Home.From, at, made.users, made.groups); err == nil {
		err = e.Start(ctx, found.ID)
	}
	left := unmount()
	switch {
	case errors.Is(err, idmap.ErrCannot):
		return made, usererr.New(usererr.Container, "the home "+made.Home.From+" cannot be mounted in a container with user numbers of its own",
			"ask the administrator: it takes Linux 5.12 or newer, and a file system with idmapped mounts, or an engine without userns-remap", err)
	case err == nil && left != nil:
		return made, fmt.Errorf("%w: %s: %w", ErrLeft, at, left)
	}
	if left != nil {
		err = errors.Join(err, left)
	}
	return made, err
}

func removeDir(dir string) error {
	if err := unix.Rmdir(dir); err != nil && err != unix.ENOENT {
		return &os.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}

// told is the map as the engine tells it before the container runs.
func told(remap engine.Remap, found *engine.Container) idmap.Map {
	if !remap.On || found.HostUsers {
		remap = engine.Remap{}
	}
	whole := func(first uint32) idmap.Ranges { return idmap.Ranges{{Outside: first, Count: 1<<32 - 1 - first}} }
	return idmap.Map{Users: whole(remap.UID), Groups: whole(remap.GID)}
}

// owners gives for each owner on disk the number on the host of who has his files
// inside. Without such a number he is left out.
func owners(home policy.Home, m idmap.Map) (users, groups idmap.Ranges) {
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
