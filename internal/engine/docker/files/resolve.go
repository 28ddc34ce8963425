package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

// resolver finds out where paths of one container lead that was never started. The engine
// follows links when it writes files, into mounts too, and mounts where links lead. Links
// are the image's word, as long as no mount lies in another one: a container that was never
// started has what its image has, what is mounted, and directories that the engine made for
// mounts.
type resolver struct {
	conn   *api.Conn
	id     string
	mounts []string // where they are, without links
	seen   map[string]pathKind
}

// pathKind is what is at a path: nothing, a link, or something else.
type pathKind struct {
	exists bool
	link   string // where it leads
}

// newResolver finds out where the mounts of a container are; engine.ErrMountInMount. The
// questions are about that container, or another one of its image.
func newResolver(ctx context.Context, conn *api.Conn, id string, mounts []container.MountPoint) (*resolver, error) {
	s := &resolver{conn: conn, id: id, seen: map[string]pathKind{}}
	// Before the first question: the engine mounts all of them to answer it.
	for _, m := range mounts {
		for _, outer := range mounts {
			if m.Destination != outer.Destination && engine.Within(m.Destination, outer.Destination) &&
				!engine.Within(m.Destination, engine.OwnDir) {
				return nil, fmt.Errorf("%w: %s", engine.ErrMountInMount, m.Destination)
			}
		}
	}
	for _, m := range mounts {
		at, err := s.resolve(ctx, m.Destination)
		if err != nil {
			return nil, err
		}
		s.mounts = append(s.mounts, at)
	}
	// The mounts, and what was looked at to find out where they are.
	for _, name := range slices.AppendSeq(slices.Clone(s.mounts), maps.Keys(s.seen)) {
		for _, m := range s.mounts {
			if name != m && engine.Within(name, m) && !engine.Within(name, engine.OwnDir) {
				return nil, fmt.Errorf("%w: %s", engine.ErrMountInMount, name)
			}
		}
	}
	return s, nil
}

var errLinks = errors.New("too many symbolic links")

// resolve returns the path without links to which a path leads, as far as no mount is on it.
func (s *resolver) resolve(ctx context.Context, name string) (string, error) {
	at, rest := "/", strings.Trim(path.Clean(name), "/")
	for links := 0; rest != ""; {
		var first string
		first, rest, _ = strings.Cut(rest, "/")
		at = path.Join(at, first)
		if s.mounted(at) { // others may be changing what is there
			return path.Join(at, rest), nil
		}
		link, err := s.linkAt(ctx, at)
		if err != nil {
			return "", err
		}
		if link == "" {
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s: %w", name, errLinks)
		}
		if !path.IsAbs(link) {
			link = path.Join(path.Dir(at), link)
		}
		at, rest = "/", strings.Trim(path.Join(link, rest), "/")
	}
	return at, nil
}

// linkAt returns where a link leads; empty: there is none at that path, on which there are
// no others.
func (s *resolver) linkAt(ctx context.Context, name string) (string, error) {
	if dir, ok := s.seen[path.Dir(name)]; ok && !dir.exists {
		return "", nil // nothing is below it
	}
	kind, err := s.look(ctx, name)
	return kind.link, err
}

// exists reports whether there is something at a path on which there are no links.
func (s *resolver) exists(ctx context.Context, name string) (bool, error) {
	kind, err := s.look(ctx, name)
	return kind.exists, err
}

// look asks the engine what is at a path on which there are no links.
func (s *resolver) look(ctx context.Context, name string) (kind pathKind, err error) {
	if seen, ok := s.seen[name]; ok {
		return seen, nil
	}
	err = s.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerStatPath(ctx, s.id, client.ContainerStatPathOptions{Path: name})
		if cerrdefs.IsNotFound(err) {
			return nil
		}
		if err == nil {
			kind.exists = true
			if r.Stat.Mode&fs.ModeSymlink != 0 {
				kind.link = r.Stat.LinkTarget // as resolved by the engine, from the container's root
			}
		}
		return err
	})
	if err == nil {
		s.seen[name] = kind
	}
	return kind, err
}

// mounted reports whether a path without links lies at or below a mount.
func (s *resolver) mounted(name string) bool {
	for _, m := range s.mounts {
		if engine.Within(name, m) {
			return true
		}
	}
	return false
}

// aboveMount reports whether a mount lies below a path without links.
func (s *resolver) aboveMount(name string) bool {
	for _, m := range s.mounts {
		if m != name && engine.Within(m, name) {
			return true
		}
	}
	return false
}
