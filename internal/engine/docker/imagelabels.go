package docker

import (
	"context"
	"errors"
	"maps"
	"path"
	"strings"
	"sync"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
)

// dropImageLabels removes dockersh's labels from the container unless Create wrote them.
// A container has the labels of its image, and an image can have any: a foreign one, or
// one that was committed from a container that dockersh made.
func (e *Engine) dropImageLabels(ctx context.Context, c *engine.Container, mounts []container.MountPoint) error {
	if _, any := c.Labels[engine.LabelOwner]; !any {
		return nil
	}
	created := c.Labels[engine.LabelCreate]
	brought, err := e.marks.of(ctx, e, c.ImageID)
	switch {
	case err == nil && !brought.any: // somebody gave the labels to the container itself
		return nil
	case err == nil && created != "" && created != brought.create: // Create gives each container a value of its own
		return nil
	case errors.Is(err, engine.ErrNoImage) && hasOwnMount(c, mounts):
		return nil
	case err != nil && !errors.Is(err, engine.ErrNoImage):
		return err
	}
	c.Labels = maps.Clone(c.Labels)
	maps.DeleteFunc(c.Labels, func(label, _ string) bool { return strings.HasPrefix(label, "dockersh.") })
	return nil
}

// hasOwnMount reports whether the directory that LabelMark names is mounted into the
// container, and is that of a container of this name. An image can bring the label, but
// no directory of the host. It is for containers whose image was removed by force.
func hasOwnMount(c *engine.Container, mounts []container.MountPoint) bool {
	_, dir, _ := strings.Cut(c.Labels[engine.LabelMark], ":")
	for _, m := range mounts {
		if m.Type == mount.TypeBind && m.Destination == engine.RunInside {
			return path.Base(dir) == c.Name && strings.HasPrefix(m.Source, dir+"/")
		}
	}
	return false
}

// imageMark is what an image has of dockersh's labels.
type imageMark struct {
	any    bool   // LabelOwner
	create string // the value of LabelCreate
}

// imageMarks remembers the marks of images: those of an id never change.
type imageMarks struct {
	mu    sync.Mutex
	known map[string]imageMark
}

// maxMarks is how many images are remembered.
const maxMarks = 1000

// of returns the mark of an image; engine.ErrNoImage.
func (m *imageMarks) of(ctx context.Context, e *Engine, id string) (mark imageMark, err error) {
	m.mu.Lock()
	mark, ok := m.known[id]
	m.mu.Unlock()
	if ok {
		return mark, nil
	}
	err = e.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ImageInspect(ctx, id)
		if err == nil && r.Config != nil {
			_, mark.any = r.Config.Labels[engine.LabelOwner]
			mark.create = r.Config.Labels[engine.LabelCreate]
		}
		return api.NotFound(err, engine.ErrNoImage)
	})
	if err != nil {
		return imageMark{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxMarks {
		m.known = map[string]imageMark{}
	}
	m.known[id] = mark
	return mark, nil
}
