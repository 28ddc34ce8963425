package enginetest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/dockersh/dockersh/internal/engine"
)

// Rename implements engine.Engine.
func (f *Fake) Rename(ctx context.Context, id, name string) error {
	err := f.begin(ctx, "Rename")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	b, err := f.box(id)
	if err != nil {
		return err
	}
	if f.containers[name] != nil {
		return fmt.Errorf("%w: %s", engine.ErrNameTaken, name)
	}
	delete(f.containers, b.Name)
	b.Name, f.containers[name] = name, b
	return nil
}

// LayerRoom implements engine.Engine; see Free.
func (f *Fake) LayerRoom(ctx context.Context, id string) (size, free int64, err error) {
	err = f.begin(ctx, "LayerRoom")
	defer f.mu.Unlock()
	if err != nil {
		return 0, 0, err
	}
	b, err := f.box(id)
	if err != nil {
		return 0, 0, err
	}
	return int64(len(b.files)), f.free, nil
}

// SetFree sets how many files there is room for.
func (f *Fake) SetFree(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.free = n
}

// CarryLayer implements engine.Engine.
func (f *Fake) CarryLayer(ctx context.Context, id, mark string) (string, error) {
	err := f.begin(ctx, "CarryLayer")
	defer f.mu.Unlock()
	if err != nil {
		return "", err
	}
	b, err := f.box(id)
	if err != nil {
		return "", err
	}
	made := image{id: "sha256:" + f.newID(), files: f.filesOf(b), committed: true, mark: mark}
	f.images[made.id] = made
	return made.id, nil
}

// filesOf returns the files of a container.
func (f *Fake) filesOf(b *box) map[string][]byte {
	files := map[string][]byte{}
	for _, i := range f.images {
		if i.id == b.ImageID {
			maps.Copy(files, i.files)
		}
	}
	for name, file := range b.files {
		if !file.Dir {
			files[name] = file.Data
		}
	}
	return files
}

// Write puts a file into a container, as somebody in it would.
func (f *Fake) Write(name, path, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.containers[name].files[path] = engine.File{Path: path, Data: []byte(text)}
}

// Contents returns a file of a container.
func (f *Fake) Contents(name, path string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.containers[name]
	if b == nil {
		return ""
	}
	return string(f.filesOf(b)[path])
}

// SyncLayers implements engine.Engine.
func (f *Fake) SyncLayers(ctx context.Context) error {
	err := f.begin(ctx, "SyncLayers")
	defer f.mu.Unlock()
	return err
}

// RemoveLayers implements engine.Engine.
func (f *Fake) RemoveLayers(ctx context.Context, mark string) error {
	err := f.begin(ctx, "RemoveLayers")
	defer f.mu.Unlock()
	if err != nil {
		return err
	}
	maps.DeleteFunc(f.images, func(_ string, i image) bool {
		return i.mark == mark && mark != "" && !f.isUsed(i)
	})
	return nil
}

// isUsed reports whether a container has an image.
func (f *Fake) isUsed(i image) bool {
	for _, b := range f.containers {
		if b.ImageID == i.id {
			return true
		}
	}
	return false
}

// LayerMarks implements engine.Engine.
func (f *Fake) LayerMarks(ctx context.Context) (marks []string, err error) {
	err = f.begin(ctx, "LayerMarks")
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for _, i := range f.images {
		if i.mark != "" && !f.isUsed(i) && !slices.Contains(marks, i.mark) {
			marks = append(marks, i.mark)
		}
	}
	return marks, nil
}
