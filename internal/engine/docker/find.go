package docker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// Find returns the container of exactly that name; ErrNotFound, ErrDown.
func (e *Engine) Find(ctx context.Context, name string) (*engine.Container, error) {
	r, err := e.inspect(ctx, name)
	if err != nil {
		return nil, err
	}
	// The engine takes an id, and the first characters of one, for a name.
	if r.Name != "/"+name {
		return nil, fmt.Errorf("%w: %s", engine.ErrNotFound, name)
	}
	return fromInspect(r), nil
}

// inspect asks for one container by name or id. What it returns has a State
// and a Config.
func (e *Engine) inspect(ctx context.Context, nameOrID string) (*container.InspectResponse, error) {
	if err := checkName(nameOrID); err != nil {
		return nil, err
	}
	var out container.InspectResponse
	err := e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerInspect(ctx, nameOrID, client.ContainerInspectOptions{})
		out = r.Container
		return notFound(err, engine.ErrNotFound)
	})
	if err != nil {
		return nil, err
	}
	if out.State == nil || out.Config == nil || out.ID == "" {
		return nil, fmt.Errorf("the engine's description of container %s is not complete", nameOrID)
	}
	return &out, nil
}

func fromInspect(r *container.InspectResponse) *engine.Container {
	created, _ := time.Parse(time.RFC3339Nano, r.Created) // zero when it is no time: for listings only
	return &engine.Container{
		ID:        r.ID,
		Name:      strings.TrimPrefix(r.Name, "/"),
		Image:     r.Config.Image,
		ImageID:   r.Image,
		State:     stateOf(r.State.Status),
		Pid:       r.State.Pid,
		ExitCode:  r.State.ExitCode,
		OOMKilled: r.State.OOMKilled,
		Created:   created,
		Labels:    r.Config.Labels,
		Size:      -1,
		HostUsers: r.HostConfig != nil && r.HostConfig.UsernsMode.IsHost(),
		Binds:     binds(r.Mounts),
	}
}

func binds(all []container.MountPoint) (from []string) {
	for _, m := range all {
		if m.Type == mount.TypeBind {
			from = append(from, m.Source)
		}
	}
	return from
}

// List gives every container that carries engine.LabelOwner, running or not.
// The engine's listing has no Pid, ExitCode and OOMKilled: they are zero; Find
// has them. Sizes are asked for only on demand: the engine walks every file.
func (e *Engine) List(ctx context.Context, size bool) ([]*engine.Container, error) {
	list, err := e.list(ctx, engine.LabelOwner, size)
	if err != nil {
		return nil, err
	}
	out := make([]*engine.Container, 0, len(list))
	for i := range list {
		out = append(out, fromSummary(&list[i], size))
	}
	return out, nil
}

// list asks for the containers with a label, "key" or "key=value".
func (e *Engine) list(ctx context.Context, label string, size bool) ([]container.Summary, error) {
	var out []container.Summary
	err := e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerList(ctx, client.ContainerListOptions{
			All: true, Size: size, Filters: make(client.Filters).Add("label", label),
		})
		out = r.Items
		return err
	})
	return out, err
}

func fromSummary(s *container.Summary, size bool) *engine.Container {
	c := &engine.Container{
		ID:      s.ID,
		Image:   s.Image,
		ImageID: s.ImageID,
		State:   stateOf(s.State),
		Created: time.Unix(s.Created, 0),
		Labels:  s.Labels,
		Size:    -1,
	}
	if size {
		c.Size = s.SizeRw
	}
	for _, n := range s.Names {
		// Links to a container are listed as /other/alias.
		if n = strings.TrimPrefix(n, "/"); validName(n) {
			c.Name = n
			break
		}
	}
	return c
}

// ImageID gives the id of an image on this host; ErrNoImage, ErrDown.
func (e *Engine) ImageID(ctx context.Context, ref string) (string, error) {
	if err := checkImage(ref); err != nil {
		return "", err
	}
	var id string
	err := e.call(ctx, callLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ImageInspect(ctx, ref)
		id = r.ID
		return notFound(err, engine.ErrNoImage)
	})
	return id, err
}

// checkImage refuses what is no reference to an image before it gets into the
// path of a request.
func checkImage(ref string) error {
	if _, err := reference.ParseAnyReference(ref); err != nil {
		return fmt.Errorf("%w: %q: %w", engine.ErrNoImage, ref, lined{err})
	}
	return nil
}
