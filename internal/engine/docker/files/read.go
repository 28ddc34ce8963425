package files

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

const (
	maxFile  = 1 << 20 // bytes that Read reads
	maxLinks = 8       // symbolic links that Read follows
)

// Read reads a regular file of at most 1 MiB out of a container that was
// never started. It follows symbolic links inside the container.
func Read(ctx context.Context, conn *api.Conn, id, name string) ([]byte, error) {
	if _, err := neverStarted(ctx, conn, id); err != nil {
		return nil, err
	}
	at := name
	for range maxLinks {
		if !path.IsAbs(at) {
			return nil, fmt.Errorf("read %s in container %s: the path is not absolute", name, id)
		}
		data, link, err := readOne(ctx, conn, id, at)
		if err != nil {
			return nil, fmt.Errorf("read %s in container %s: %w", name, id, err)
		}
		if link == "" {
			return data, nil
		}
		at = path.Join(path.Dir(at), link)
		if path.IsAbs(link) {
			at = path.Clean(link)
		}
	}
	return nil, fmt.Errorf("read %s in container %s: too many symbolic links", name, id)
}

// readOne returns the contents of a regular file, or where a symbolic link leads.
func readOne(ctx context.Context, conn *api.Conn, id, at string) (data []byte, link string, err error) {
	err = conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: at})
		if err != nil {
			return api.NotFound(err, fs.ErrNotExist)
		}
		// Closed unread when it is not a file: a directory comes with all below it.
		defer func() { _ = r.Content.Close() }()
		switch {
		case r.Stat.Mode&fs.ModeSymlink != 0:
			link = r.Stat.LinkTarget // as resolved by the engine, from the container's root
			return nil
		case !r.Stat.Mode.IsRegular():
			return fmt.Errorf("%s is not a regular file", at)
		}
		data, err = untarOne(r.Content)
		return err
	})
	return data, link, err
}

// untarOne reads an archive of one regular file.
func untarOne(r io.Reader) ([]byte, error) {
	t := tar.NewReader(r)
	h, err := t.Next()
	switch {
	case err != nil:
		return nil, fmt.Errorf("the engine's archive: %w", err)
	case h.Typeflag != tar.TypeReg:
		return nil, errors.New("the engine's archive holds no regular file")
	case h.Size > maxFile:
		return nil, fmt.Errorf("it is longer than %d bytes", maxFile)
	}
	return io.ReadAll(io.LimitReader(t, maxFile))
}
