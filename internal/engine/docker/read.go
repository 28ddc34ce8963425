package docker

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

const (
	maxFile  = 1 << 20 // bytes that ReadFile reads
	maxLinks = 8       // symbolic links that ReadFile follows
)

// fresh gives a container that was never started, or an error. In any other a
// process may have changed what a path leads to, and the engine follows paths
// with root's rights.
func (e *Engine) fresh(ctx context.Context, id string) (*container.InspectResponse, error) {
	r, err := e.inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	started, err := time.Parse(time.RFC3339Nano, r.State.StartedAt)
	if err != nil || !started.IsZero() || r.State.Status != container.StateCreated {
		return nil, fmt.Errorf("container %s was started before: its files are left alone", id)
	}
	return r, nil
}

// ReadFile reads a regular file of at most 1 MiB out of a container that was
// never started. It follows symbolic links inside the container. The error is
// fs.ErrNotExist when there is no such file.
func (e *Engine) ReadFile(ctx context.Context, id, name string) ([]byte, error) {
	if _, err := e.fresh(ctx, id); err != nil {
		return nil, err
	}
	at := name
	for range maxLinks {
		if !path.IsAbs(at) {
			return nil, fmt.Errorf("read %s in container %s: the path is not absolute", name, id)
		}
		var data []byte
		var next string
		err := e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
			r, err := cli.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: at})
			if err != nil {
				return notFound(err, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist})
			}
			// Closed unread when it is no file: a directory comes with all below it.
			defer func() { _ = r.Content.Close() }()
			if r.Stat.Mode&fs.ModeSymlink != 0 {
				next = r.Stat.LinkTarget // as resolved by the engine, from the container's root
				return nil
			}
			if !r.Stat.Mode.IsRegular() {
				return fmt.Errorf("%s is no regular file", at)
			}
			data, err = untarOne(r.Content)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read %s in container %s: %w", name, id, err)
		}
		if next == "" {
			return data, nil
		}
		at = path.Join(path.Dir(at), next)
		if path.IsAbs(next) {
			at = path.Clean(next)
		}
	}
	return nil, fmt.Errorf("read %s in container %s: too many symbolic links", name, id)
}

// untarOne reads an archive of one regular file.
func untarOne(r io.Reader) ([]byte, error) {
	t := tar.NewReader(r)
	h, err := t.Next()
	if err != nil {
		return nil, fmt.Errorf("the engine's archive: %w", err)
	}
	if h.Typeflag != tar.TypeReg {
		return nil, fmt.Errorf("the engine's archive holds no regular file")
	}
	if h.Size > maxFile {
		return nil, fmt.Errorf("it is longer than %d bytes", maxFile)
	}
	return io.ReadAll(io.LimitReader(t, maxFile))
}
