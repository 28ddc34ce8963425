package conformance

import (
	"errors"
	"slices"
	"testing"

	"github.com/dockersh/dockersh/internal/engine"
)

// layerCarried puts another container in the place of one, with what is in it.
func layerCarried(t *testing.T, s *Subject) {
	spec := s.spec()
	old := s.create(t, spec)
	mark, other := s.Name+":/run/"+spec.Name, s.Name+":/run/"+spec.Name+"-other"
	ok(t, s.PutFiles(t.Context(), old.ID, []engine.File{{Path: "/etc/marker", Mode: 0o644, Data: []byte("x")}}))
	if size, free, err := s.LayerRoom(t.Context(), old.ID); err != nil || size < 1 || free <= size {
		t.Errorf("size %d, free %d, %v", size, free, err)
	}
	taken := s.create(t, s.spec())
	if err := s.Rename(t.Context(), old.ID, taken.Name); !errors.Is(err, engine.ErrNameTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	layer, err := s.CarryLayer(t.Context(), old.ID, mark)
	ok(t, err)
	if i, err := s.Engine.Image(t.Context(), layer); err != nil || !i.Layer || !i.Committed {
		t.Errorf("the layer: %+v %v", i, err)
	}
	ok(t, s.SyncLayers(t.Context()))
	ok(t, s.Rename(t.Context(), old.ID, spec.Name+"-old"))
	if c, err := s.Find(t.Context(), spec.Name+"-old"); err != nil || c.ID != old.ID {
		t.Errorf("renamed: %+v %v", c, err)
	}
	if _, err := s.Find(t.Context(), spec.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("its former name: %v", err)
	}
	spec.Layer = layer
	spec.Labels[engine.LabelFrom] = old.ID
	next := s.create(t, spec)
	if found, err := s.Find(t.Context(), spec.Name); err != nil || found.ID != next.ID || found.ImageID != layer ||
		found.Labels[engine.LabelOwner] != "1000" {
		t.Errorf("the next one: %+v %v", found, err)
	}
	if b, err := s.ReadFile(t.Context(), next.ID, "/etc/marker"); err != nil || string(b) != "x" {
		t.Errorf("what was in it: %q %v", b, err)
	}
	used := true
	has := func() bool {
		_, err := s.ImageID(t.Context(), layer)
		marks, merr := s.LayerMarks(t.Context())
		if err != nil && !errors.Is(err, engine.ErrNoImage) || merr != nil || slices.Contains(marks, mark) != (err == nil && !used) {
			t.Errorf("%v; marks %q %v", err, marks, merr)
		}
		return err == nil
	}
	ok(t, s.RemoveLayers(t.Context(), mark))
	if !has() {
		t.Error("a layer that a container has was removed")
	}
	ok(t, s.Remove(t.Context(), next.ID))
	used = false
	ok(t, s.RemoveLayers(t.Context(), other))
	if !has() {
		t.Error("a layer of another mark was removed")
	}
	ok(t, s.RemoveLayers(t.Context(), mark))
	if has() {
		t.Error("the layer is left")
	}
	if _, err := s.CarryLayer(t.Context(), next.ID, mark); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("of a container that is gone: %v", err)
	}
	if err := s.Rename(t.Context(), next.ID, spec.Name); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("rename of one that is gone: %v", err)
	}
}
