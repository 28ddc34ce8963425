package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// PutFiles writes files and directories, in their order, into a container that
// was never started. Directories on the way that do not exist are made, root's and
// with mode 0755. A path at or below a mount is refused: it would be written on the
// host. A directory that the image has with the same owner is left as it is, unless it
// is to be reset; if nothing is left to write, the engine, which starts a process for each archive, is
// not asked.
func (e *Engine) PutFiles(ctx context.Context, id string, files []engine.File) error {
	r, err := e.neverStarted(ctx, id)
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
	if err := e.putFiles(ctx, r, files); err != nil {
		return fmt.Errorf("put files into container %s: %w", id, err)
	}
	return nil
}

func (e *Engine) putFiles(ctx context.Context, r *container.InspectResponse, files []engine.File) error {
	files, err := e.withoutExisting(ctx, r, files)
	if err != nil || len(files) == 0 {
		return err
	}
	parents, err := e.missingParents(ctx, r, files)
	if err != nil {
		return err
	}
	archive, err := tarOf(append(parents, files...))
	if err != nil {
		return err
	}
	return e.callFor(ctx, callLimit, r.ID, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.CopyToContainer(ctx, r.ID, client.CopyToContainerOptions{
			DestinationPath: "/", Content: bytes.NewReader(archive),
		})
		return err
	})
}

// within reports whether a path is dir or below it.
func within(p, dir string) bool {
	dir = path.Clean(dir)
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}

// withoutExisting leaves out the directories that the image has with their owners.
func (e *Engine) withoutExisting(ctx context.Context, r *container.InspectResponse, files []engine.File) ([]engine.File, error) {
	var missing []engine.File
	for _, f := range files {
		if f.Dir && !f.Reset && !hasVolumes(r) {
			own, err := e.dirs.owner(ctx, e.conn, r, f.Path)
			if err != nil {
				return nil, err
			}
			if own == (owner{true, f.UID, f.GID}) {
				continue
			}
		}
		missing = append(missing, f)
	}
	return missing, nil
}

// missingParents lists, outermost first, the directories on the way to files
// that are not in the container. Those that exist must not be in the archive: the
// engine would change their owner and mode.
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
			there, err := e.dirs.exists(ctx, e.conn, r, dir)
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
