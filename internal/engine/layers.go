package engine

import "context"

// Layers put another container in the place of one, with what is in its own file system: an
// image of that, made for the next container alone. Such an image is no name for anybody, and
// goes with its container.
type Layers interface {
	// Rename changes the name of a container. ErrNotFound, ErrNameTaken.
	Rename(ctx context.Context, id, name string) error
	// LayerRoom returns how many bytes a container has in its own layer, and how many are free
	// where the engine keeps layers; for an engine on this host.
	LayerRoom(ctx context.Context, id string) (size, free int64, err error)
	// CarryLayer makes an image of a container's own file system, without what is mounted, for
	// Spec.Layer; dockersh's labels in it are empty. Its layers are made one before they are too
	// many for an engine. The image belongs to a mark, see RemoveLayers. ErrNotFound.
	CarryLayer(ctx context.Context, id, mark string) (imageID string, err error)
	// SyncLayers returns when what the engine has written is on the disk, for an engine on this
	// host.
	SyncLayers(ctx context.Context) error
	// RemoveLayers removes the images that CarryLayer made for a mark and that no container has.
	// One to which somebody gave another name stays, and so does one that was made from it.
	RemoveLayers(ctx context.Context, mark string) error
	// LayerMarks returns the marks of images that CarryLayer made and that no container has.
	LayerMarks(ctx context.Context) ([]string, error)
}

// Base returns the name and the id of the image that a container was made from, also where it
// has the layer of another container.
func (c *Container) Base() (name, id string) {
	if name, id = c.Labels[LabelImageName], c.Labels[LabelImage]; name != "" && id != "" {
		return name, id
	}
	return c.Image, c.ImageID
}
