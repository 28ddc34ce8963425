package enginetest

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
)

// PutFiles implements engine.Engine.
func (f *Fake) PutFiles(ctx context.Context, id string, files []engine.File) error {
	err := f.begin(ctx, "PutFiles")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	b, err := f.neverStarted(id)
	if err != nil {
		return err
	}
	img := f.imageOf(b)
	mounts, err := f.places(b)
	if err != nil {
		return err
	}
	put := map[string]engine.File{}
	for _, file := range files {
		if !path.IsAbs(file.Path) || path.Clean(file.Path) != file.Path || file.Path == "/" {
			return fmt.Errorf("put %q: not a clean absolute path", file.Path)
		}
		file.Path = path.Join(img.resolve(path.Dir(file.Path)), path.Base(file.Path))
		switch {
		case slices.ContainsFunc(mounts, func(m string) bool { return engine.Within(file.Path, m) }):
			if !file.Dir || file.Reset {
				return fmt.Errorf("put %s: it lies in a mount", file.Path)
			}
		case !file.Dir || file.Reset || !slices.Contains(img.dirs, file.Path):
			put[file.Path] = file
		}
	}
	maps.Copy(b.files, put)
	return nil
}

// CheckMounts implements engine.Engine.
func (f *Fake) CheckMounts(ctx context.Context, id, bare string) error {
	err := f.begin(ctx, "CheckMounts")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	b, err := f.neverStarted(id)
	if err == nil {
		_, err = f.neverStarted(bare)
	}
	if err == nil {
		_, err = f.places(b)
	}
	return err
}

// places returns where the mounts of a container are.
func (f *Fake) places(b *box) (mounts []string, err error) {
	img := f.imageOf(b)
	for _, m := range b.copy(false).Mounts {
		mounts = append(mounts, img.resolve(m.Target))
	}
	for _, m := range mounts {
		if !engine.Within(m, engine.OwnDir) && slices.ContainsFunc(mounts, func(o string) bool { return m != o && engine.Within(m, o) }) {
			return nil, fmt.Errorf("%w: %s", engine.ErrMountInMount, m)
		}
	}
	return mounts, nil
}

// imageOf returns the image of a container.
func (f *Fake) imageOf(b *box) image {
	for _, i := range f.images {
		if i.id == b.ImageID {
			return i
		}
	}
	return image{}
}

// resolve returns where a path leads.
func (i image) resolve(name string) string {
	at := "/"
	for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
		at = path.Join(at, part)
		if to, ok := i.links[at]; ok {
			at = path.Join("/", path.Dir(at), to)
			if path.IsAbs(to) {
				at = to
			}
		}
	}
	return at
}
