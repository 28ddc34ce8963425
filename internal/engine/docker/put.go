package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// PutFiles writes files and directories, in their order, into a container that
// was never started. Directories on the way that are not there are made, of
// root's and with mode 0755. What lies at or below a mount is refused: it
// would be written on the host. A directory that the image has with the same owner
// is left as it is; if nothing is left to write, the engine, which starts a process
// for each archive, is not asked.
func (e *Engine) PutFiles(ctx context.Context, id string, files []engine.File) error {
	r, err := e.fresh(ctx, id)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" {
			return fmt.Errorf("put %q into container %s: not a clean absolute path", f.Path, id)
		}
		for _, m := range r.Mounts {
			if within(f.Path, m.Destination) {
				return fmt.Errorf("put %s into container %s: it lies in a mount", f.Path, id)
			}
		}
	}
	files, err = e.lacking(ctx, r, files)
	if err != nil {
		return fmt.Errorf("put files into container %s: %w", id, err)
	}
	if len(files) == 0 {
		return nil
	}
	parents, err := e.missingParents(ctx, r, files)
	if err != nil {
		return fmt.Errorf("put files into container %s: %w", id, err)
	}
	archive, err := tarOf(append(parents, files...))
	if err != nil {
		return fmt.Errorf("put files into container %s: %w", id, err)
	}
	err = e.named(ctx, callLimit, id, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.CopyToContainer(ctx, id, client.CopyToContainerOptions{
			DestinationPath: "/", Content: bytes.NewReader(archive),
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("put files into container %s: %w", id, err)
	}
	return nil
}

// within tells whether a path is dir or below it.
func within(p, dir string) bool {
	dir = path.Clean(dir)
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// lacking leaves out the directories that the image has with their owners.
func (e *Engine) lacking(ctx context.Context, r *container.InspectResponse, files []engine.File) ([]engine.File, error) {
	var left []engine.File
	for _, f := range files {
		if f.Dir && !hasVolumes(r) {
			own, err := e.ownerNew(ctx, r, f.Path)
			if err != nil {
				return nil, err
			}
			if own == (owner{true, f.UID, f.GID}) {
				continue
			}
		}
		left = append(left, f)
	}
	return left, nil
}

// missingParents lists, outermost first, the directories on the way to files
// that are not in the container. Those that are there must not be in the
// archive: the engine would change their owner and mode.
func (e *Engine) missingParents(ctx context.Context, r *container.InspectResponse, files []engine.File) ([]engine.File, error) {
	known := map[string]bool{"/": true}
	for _, f := range files {
		if f.Dir {
			known[f.Path] = true
		}
	}
	var missing []engine.File
	for _, f := range files {
		var chain []engine.File
		for dir := path.Dir(f.Path); !known[dir]; dir = path.Dir(dir) {
			known[dir] = true
			there, err := e.existsNew(ctx, r, dir)
			if err != nil {
				return nil, err
			}
			if there {
				break
			}
			chain = append([]engine.File{{Path: dir, Mode: 0o755, Dir: true}}, chain...)
		}
		missing = append(missing, chain...)
	}
	return missing, nil
}

// imageDir is a key of Engine.dirs: the id of an image, which never changes, and a
// path.
type imageDir struct{ image, path string }

// existsNew tells whether a path is there in a container that was never started. It
// has what its image has, and what the engine made for volumes.
func (e *Engine) existsNew(ctx context.Context, r *container.InspectResponse, name string) (bool, error) {
	if hasVolumes(r) {
		return e.exists(ctx, r.ID, name)
	}
	key := imageDir{r.Image, name}
	if there, known := e.dirs.Load(key); known {
		return there.(bool), nil
	}
	there, err := e.exists(ctx, r.ID, name)
	if err == nil {
		e.dirs.Store(key, there)
	}
	return there, err
}

// hasVolumes tells whether a container may have places that its image has not.
func hasVolumes(r *container.InspectResponse) bool {
	return slices.ContainsFunc(r.Mounts, func(m container.MountPoint) bool { return m.Type != mount.TypeBind })
}

// imageOwner is a key of Engine.dirs, like imageDir.
type imageOwner struct{ image, path string }

// owner is whose a directory is; not there: it is none.
type owner struct {
	there    bool
	uid, gid uint32
}

// ownerNew is the owner of a path in a container that was never started and has no
// volumes.
func (e *Engine) ownerNew(ctx context.Context, r *container.InspectResponse, name string) (own owner, err error) {
	key := imageOwner{r.Image, name}
	if known, ok := e.dirs.Load(key); ok {
		return known.(owner), nil
	}
	err = e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		c, err := cli.CopyFromContainer(ctx, r.ID, client.CopyFromContainerOptions{SourcePath: name})
		if cerrdefs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		defer func() { _ = c.Content.Close() }() // after the first header: all that is below it would follow
		if !c.Stat.Mode.IsDir() {
			return nil
		}
		h, err := tar.NewReader(c.Content).Next()
		if err == nil && h.Typeflag == tar.TypeDir && h.Uid >= 0 && h.Gid >= 0 {
			own = owner{true, uint32(h.Uid), uint32(h.Gid)}
		}
		return err
	})
	if err == nil {
		e.dirs.Store(key, own)
	}
	return own, err
}

// exists tells whether a path is there in a container.
func (e *Engine) exists(ctx context.Context, id, name string) (bool, error) {
	there := true
	err := e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: name})
		if cerrdefs.IsNotFound(err) {
			there = false
			return nil
		}
		return err
	})
	return there, err
}

// tarOf writes an archive. Of the mode it takes the permission and sticky
// bits: nothing that dockersh brings runs as its owner.
func tarOf(files []engine.File) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	now := time.Now()
	for _, f := range files {
		h := &tar.Header{
			Name:     strings.TrimPrefix(f.Path, "/"),
			Mode:     int64(f.Mode & 0o1777),
			Uid:      int(f.UID),
			Gid:      int(f.GID),
			ModTime:  now,
			Typeflag: tar.TypeReg,
			Size:     int64(len(f.Data)),
		}
		if f.Dir {
			h.Name, h.Typeflag, h.Size = h.Name+"/", tar.TypeDir, 0
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if f.Dir {
			continue
		}
		if _, err := w.Write(f.Data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}
