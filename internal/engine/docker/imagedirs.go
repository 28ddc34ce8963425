package docker

import (
	"archive/tar"
	"context"
	"slices"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// imageDirs remembers which directories images have, and whose they are: for every
// look the engine mounts the container's file system. A container that was never
// started has what its image has, and what the engine made for volumes.
type imageDirs struct {
	known  sync.Map // imagePath to bool
	owners sync.Map // imagePath to owner
}

// imagePath is the id of an image, which never changes, and a path in it.
type imagePath struct{ image, path string }

// owner is whose a directory is; zero where there is no directory.
type owner struct {
	exists   bool
	uid, gid uint32
}

// hasVolumes reports whether a container may have paths that its image does not have.
func hasVolumes(r *container.InspectResponse) bool {
	return slices.ContainsFunc(r.Mounts, func(m container.MountPoint) bool { return m.Type != mount.TypeBind })
}

// exists reports whether a container that was never started has a path.
func (d *imageDirs) exists(ctx context.Context, c *conn, r *container.InspectResponse, name string) (bool, error) {
	key := imagePath{r.Image, name}
	if known, ok := d.known.Load(key); ok && !hasVolumes(r) {
		return known.(bool), nil
	}
	exists := true
	err := c.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerStatPath(ctx, r.ID, client.ContainerStatPathOptions{Path: name})
		if cerrdefs.IsNotFound(err) {
			exists = false
			return nil
		}
		return err
	})
	if err == nil && !hasVolumes(r) {
		d.known.Store(key, exists)
	}
	return exists, err
}

// owner returns the owner of a directory in a container that was never started and
// has no volumes.
func (d *imageDirs) owner(ctx context.Context, c *conn, r *container.InspectResponse, name string) (own owner, err error) {
	key := imagePath{r.Image, name}
	if known, ok := d.owners.Load(key); ok {
		return known.(owner), nil
	}
	err = c.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.CopyFromContainer(ctx, r.ID, client.CopyFromContainerOptions{SourcePath: name})
		if cerrdefs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		defer func() { _ = r.Content.Close() }() // after the first header: all that is below it would follow
		if !r.Stat.Mode.IsDir() {
			return nil
		}
		h, err := tar.NewReader(r.Content).Next()
		if err == nil && h.Typeflag == tar.TypeDir && h.Uid >= 0 && h.Gid >= 0 {
			own = owner{true, uint32(h.Uid), uint32(h.Gid)}
		}
		return err
	})
	if err == nil {
		d.owners.Store(key, own)
	}
	return own, err
}
