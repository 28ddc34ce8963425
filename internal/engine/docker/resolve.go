package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// imagePaths remembers what is at the paths of images: for every look the engine mounts
// the container's file system.
type imagePaths struct {
	links  sync.Map // imagePath to string: where a link leads; empty: there is none
	exists sync.Map // imagePath to bool
}

// imagePath is the id of an image, which never changes, and a path in it.
type imagePath struct{ image, path string }

// resolver finds out where paths of one container lead that was never started. The engine
// follows links when it writes files, into mounts too, and mounts where links lead. Links
// are the image's word, as long as no mount lies in another one: a container that was never
// started has what its image has, what is mounted, and directories that the engine made for
// mounts.
type resolver struct {
	*conn
	paths    *imagePaths
	id       string
	image    string
	mounts   []string // where they are, without links
	volumes  bool     // the engine may have made directories for them
	resolved bool     // all mounts are known
	seen     map[string]pathKind
}

// pathKind is what is at a path: nothing, a link, or something else.
type pathKind struct {
	exists bool
	link   string // where it leads
}

// newResolver finds out where the mounts of a container are; engine.ErrMountInMount.
func newResolver(ctx context.Context, e *Engine, r *container.InspectResponse) (*resolver, error) {
	s := &resolver{conn: e.conn, paths: &e.paths, id: r.ID, image: r.Image, seen: map[string]pathKind{}}
	// Before the first question: the engine mounts all of them to answer it.
	for _, m := range r.Mounts {
		for _, outer := range r.Mounts {
			if m.Destination != outer.Destination && within(m.Destination, outer.Destination) && !within(m.Destination, engine.OwnDir) {
				return nil, fmt.Errorf("%w: %s", engine.ErrMountInMount, m.Destination)
			}
		}
	}
	for _, m := range r.Mounts {
		at, err := s.resolve(ctx, m.Destination)
		if err != nil {
			return nil, err
		}
		s.mounts = append(s.mounts, at)
		s.volumes = s.volumes || m.Type != mount.TypeBind
	}
	// The mounts, and what was looked at to find out where they are.
	for _, name := range slices.AppendSeq(slices.Clone(s.mounts), maps.Keys(s.seen)) {
		for _, m := range s.mounts {
			if name != m && within(name, m) && !within(name, engine.OwnDir) {
				return nil, fmt.Errorf("%w: %s", engine.ErrMountInMount, name)
			}
		}
	}
	for name, kind := range s.seen {
		s.paths.links.Store(imagePath{s.image, name}, kind.link)
	}
	s.resolved = true
	return s, nil
}

var errLinks = errors.New("too many symbolic links")

// resolve returns the path without links to which a path leads.
func (s *resolver) resolve(ctx context.Context, name string) (string, error) {
	at, rest := "/", strings.Trim(path.Clean(name), "/")
	for links := 0; rest != ""; {
		var first string
		first, rest, _ = strings.Cut(rest, "/")
		at = path.Join(at, first)
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
	key := imagePath{s.image, name}
	if link, ok := s.paths.links.Load(key); ok {
		return link.(string), nil
	}
	if dir, ok := s.seen[path.Dir(name)]; ok && !dir.exists {
		return "", nil // nothing is below it
	}
	kind, err := s.look(ctx, name)
	if err == nil && s.resolved && !s.mounted(name) {
		s.paths.links.Store(key, kind.link)
	}
	return kind.link, err
}

// exists reports whether there is something at a path on which there are no links.
func (s *resolver) exists(ctx context.Context, name string) (bool, error) {
	key, ofImage := imagePath{s.image, name}, !s.volumes && !s.touched(name)
	if is, ok := s.paths.exists.Load(key); ok && ofImage {
		return is.(bool), nil
	}
	kind, err := s.look(ctx, name)
	if err == nil && ofImage {
		s.paths.exists.Store(key, kind.exists)
	}
	return kind.exists, err
}

// look asks the engine what is at a path on which there are no links.
func (s *resolver) look(ctx context.Context, name string) (kind pathKind, err error) {
	if seen, ok := s.seen[name]; ok {
		return seen, nil
	}
	err = s.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
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
		if within(name, m) {
			return true
		}
	}
	return false
}

// aboveMount reports whether a mount lies below a path without links.
func (s *resolver) aboveMount(name string) bool {
	for _, m := range s.mounts {
		if m != name && within(m, name) {
			return true
		}
	}
	return false
}

// touched reports whether mounts may have changed what is at a path: it lies in one, or
// the engine may have made it for one.
func (s *resolver) touched(name string) bool {
	for _, m := range s.mounts {
		if within(name, m) || within(m, name) {
			return true
		}
	}
	return false
}

// within reports whether a path is dir or below it.
func within(p, dir string) bool {
	dir = path.Clean(dir)
	return p == dir || dir == "/" || strings.HasPrefix(p, dir+"/")
}
