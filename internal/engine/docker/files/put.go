package files

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
	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

// Put writes files and directories, in their order, into a container that was never
// started. If nothing is left to write, the engine, which starts a process for
// each archive, is not asked.
func Put(ctx context.Context, conn *api.Conn, id string, files []engine.File) error {
	r, err := neverStarted(ctx, conn, id)
	if err != nil {
		return err
	}
	for _, f := range files {
		if !path.IsAbs(f.Path) || path.Clean(f.Path) != f.Path || f.Path == "/" {
			return fmt.Errorf("put %q into container %s: not a clean absolute path", f.Path, id)
		}
	}
	if err := put(ctx, conn, r, files); err != nil {
		return fmt.Errorf("put files into container %s: %w", id, err)
	}
	return nil
}

// CheckMounts returns engine.ErrMountInMount if a link of the image leads a mount of a
// container into another one. It asks about bare, a container of the same image in which
// nothing is mounted that others can change.
func CheckMounts(ctx context.Context, conn *api.Conn, id, bare string) error {
	r, err := neverStarted(ctx, conn, id)
	if err != nil {
		return err
	}
	b, err := neverStarted(ctx, conn, bare)
	if err == nil && b.Image != r.Image {
		err = fmt.Errorf("containers %s and %s have different images", id, bare)
	}
	if err == nil {
		_, err = newResolver(ctx, conn, bare, r.Mounts)
	}
	if err != nil {
		return fmt.Errorf("mounts of container %s: %w", id, err)
	}
	return nil
}

func put(ctx context.Context, conn *api.Conn, r *container.InspectResponse, files []engine.File) error {
	s, err := newResolver(ctx, conn, r.ID, r.Mounts)
	if err != nil {
		return err
	}
	files, err = s.toWrite(ctx, files)
	if err != nil || len(files) == 0 {
		return err
	}
	archive, err := tarOf(files)
	if err != nil {
		return err
	}
	return conn.CallFor(ctx, api.CallLimit, r.ID, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.CopyToContainer(ctx, r.ID, client.CopyToContainerOptions{
			DestinationPath: "/", Content: bytes.NewReader(archive),
		})
		return err
	})
}

// toWrite returns the files with paths that have no links on the way, and with the
// directories on the way that are missing. A directory that exists must not be in the
// archive, since the engine would change its owner and mode, unless it is to be reset; one
// in a mount is left out, too. One with a mount below it may be the engine's, made for that
// mount just now: it counts as missing.
func (s *resolver) toWrite(ctx context.Context, files []engine.File) ([]engine.File, error) {
	var out []engine.File
	known := map[string]bool{"/": true}
	for _, f := range files {
		dir, err := s.resolve(ctx, path.Dir(f.Path))
		if err != nil && f.Optional && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.Path = path.Join(dir, path.Base(f.Path))
		if s.mounted(f.Path) {
			if f.Dir && !f.Reset || f.Optional {
				continue
			}
			return nil, fmt.Errorf("%s lies in a mount", f.Path)
		}
		missing, err := s.missing(ctx, f, known)
		if err != nil {
			return nil, err
		}
		out = append(out, missing...)
	}
	return out, nil
}

// missing returns the directories on the way to a file that are missing, outermost first,
// and the file itself, which replaces what is there. known are directories that exist, or
// will.
func (s *resolver) missing(ctx context.Context, f engine.File, known map[string]bool) ([]engine.File, error) {
	var out []engine.File
	next := f
	if !f.Dir || f.Reset || s.aboveMount(f.Path) {
		out = []engine.File{f}
		known[f.Path] = true
		next = engine.File{Path: path.Dir(f.Path), Mode: 0o755, Dir: true}
	}
	for !known[next.Path] {
		known[next.Path] = true
		is, err := s.exists(ctx, next.Path)
		if err != nil {
			return nil, err
		}
		if is {
			break
		}
		out = append([]engine.File{next}, out...)
		next = engine.File{Path: path.Dir(next.Path), Mode: 0o755, Dir: true}
	}
	return out, nil
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
