package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/engine/docker/layers"
)

// Commit makes an image of a container for an administrator.
func (e *Engine) Commit(ctx context.Context, id, ref string) (imageID string, err error) {
	return layers.Commit(ctx, e.conn, id, ref)
}

// CarryLayer implements engine.Engine.
func (e *Engine) CarryLayer(ctx context.Context, id, mark string) (imageID string, err error) {
	return layers.Carry(ctx, e.conn, id, mark)
}

// LayerRoom implements engine.Engine.
func (e *Engine) LayerRoom(ctx context.Context, id string) (size, free int64, err error) {
	return layers.Room(ctx, e.conn, id)
}

// SyncLayers implements engine.Engine.
func (e *Engine) SyncLayers(ctx context.Context) error { return layers.Sync(ctx, e.conn) }

// RemoveLayers implements engine.Engine.
func (e *Engine) RemoveLayers(ctx context.Context, mark string) error {
	return layers.Remove(ctx, e.conn, mark)
}

// LayerMarks implements engine.Engine.
func (e *Engine) LayerMarks(ctx context.Context) ([]string, error) {
	return layers.Marks(ctx, e.conn)
}

// Rename implements engine.Engine.
func (e *Engine) Rename(ctx context.Context, id, name string) error {
	if !dialect.ValidName(name) {
		return fmt.Errorf("%w: %q cannot be the name of a container", engine.ErrOption, name)
	}
	err := e.conn.CallFor(ctx, api.CallLimit, id, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: name})
		return err
	})
	if err == nil || errors.Is(err, engine.ErrNotFound) || errors.Is(err, engine.ErrDown) {
		return err
	}
	if _, missing := e.Find(ctx, name); missing == nil { // Podman 5 returns an error of its database
		return fmt.Errorf("%w: %w", engine.ErrNameTaken, err)
	}
	return err
}

// setImageEnv adds the options by which a container of Spec.Layer has the environment of its
// image. They come before those of the settings.
func (e *Engine) setImageEnv(ctx context.Context, s *engine.Spec) error {
	if s.Layer == "" {
		return nil
	}
	set, unset, err := layers.Env(ctx, e.conn, s.Layer)
	if err != nil {
		return err
	}
	s.Options = append(e.conn.Dialect().ImageEnv(set, unset), s.Options...)
	return nil
}

// removeVolumes removes the volumes that came from the container before, unless another
// container has them. mounted are those of the container that is gone.
func removeVolumes(ctx context.Context, cli *client.Client, names string, mounted []engine.Mount) {
	for _, name := range strings.Fields(names) {
		for _, m := range mounted {
			if m.Volume == name && m.IsAnonymous() {
				_, _ = cli.VolumeRemove(ctx, name, client.VolumeRemoveOptions{}) // in use, or gone
			}
		}
	}
}
