package kubernetes

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
)

// ErrNoLayers: no API of a cluster reads a pod's own file system.
var ErrNoLayers = errors.New("a pod cannot be made an image")

func (e *Engine) noLayers(ctx context.Context, id string) error {
	if _, err := e.podOfID(ctx, id); err != nil {
		return err
	}
	return ErrNoLayers
}

// Commit returns ErrNoLayers, as all of engine.Layers does.
func (e *Engine) Commit(ctx context.Context, id, _ string) (string, error) {
	return "", e.noLayers(ctx, id)
}

// Rename is not possible.
func (e *Engine) Rename(ctx context.Context, id, _ string) error { return e.noLayers(ctx, id) }

// LayerRoom is not known.
func (e *Engine) LayerRoom(ctx context.Context, id string) (size, free int64, err error) {
	return 0, 0, e.noLayers(ctx, id)
}

// CarryLayer is not possible.
func (e *Engine) CarryLayer(ctx context.Context, id, _ string) (string, error) {
	return "", e.noLayers(ctx, id)
}

// SyncLayers has nothing to write.
func (e *Engine) SyncLayers(context.Context) error { return nil }

// RemoveLayers finds none.
func (e *Engine) RemoveLayers(context.Context, string) error { return nil }

// LayerMarks finds none.
func (e *Engine) LayerMarks(context.Context) ([]string, error) { return nil, nil }

var _ engine.Layers = (*Engine)(nil)
