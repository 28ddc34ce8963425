package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
)

// Find returns the container of exactly that name.
func (e *Engine) Find(ctx context.Context, name string) (*engine.Container, error) {
	r, err := e.conn.Inspect(ctx, name)
	if err != nil {
		return nil, err
	}
	// The engine takes an id, and the first characters of one, for a name.
	if r.Name != "/"+name {
		return nil, fmt.Errorf("%w: %s", engine.ErrNotFound, name)
	}
	c := e.fromInspect(r)
	return c, e.dropImageLabels(ctx, c, r.Mounts)
}

func (e *Engine) fromInspect(r *container.InspectResponse) *engine.Container {
	created, _ := time.Parse(time.RFC3339Nano, r.Created) // zero if it cannot be read: it is for listings only
	return &engine.Container{
		ID:        r.ID,
		Name:      strings.TrimPrefix(r.Name, "/"),
		Image:     r.Config.Image,
		ImageID:   r.Image,
		State:     e.stateOf(r),
		Pid:       r.State.Pid,
		ExitCode:  r.State.ExitCode,
		OOMKilled: r.State.OOMKilled,
		Created:   created,
		Labels:    r.Config.Labels,
		Size:      -1,
		MayGain:   r.HostConfig != nil && !slices.ContainsFunc(r.HostConfig.SecurityOpt, isNoNewPrivileges),
		Limits:    limits(r.HostConfig),
		HostUsers: r.HostConfig != nil && r.HostConfig.UsernsMode.IsHost(),
		Binds:     binds(r.Mounts),
		Mounts:    mounts(r.Mounts),
		Root:      e.root(r),
	}
}

// root returns the root directory of process 1.
func (e *Engine) root(r *container.InspectResponse) string {
	if r.State.Pid <= 0 || e.conn.Transport.Socket == "" {
		return ""
	}
	return "/proc/" + strconv.Itoa(r.State.Pid) + "/root"
}

// stateOf returns the state of a container. One that was ever started is not merely
// created, whatever the engine calls it: somebody may have worked in it. Podman 4.3 says
// created of a container that ran before a reboot, and of one whose start was cut between
// runc's create and start.
func (e *Engine) stateOf(r *container.InspectResponse) engine.State {
	state := e.conn.Dialect().State(string(r.State.Status))
	if state == engine.Created && api.EverStarted(r) {
		return engine.Exited
	}
	return state
}

// isNoNewPrivileges reports whether a security option means that no program gains rights.
func isNoNewPrivileges(option string) bool {
	name, value, _ := strings.Cut(strings.Replace(option, "=", ":", 1), ":")
	return name == "no-new-privileges" && value != "false"
}

func binds(all []container.MountPoint) (sources []string) {
	for _, m := range all {
		if m.Type == mount.TypeBind {
			sources = append(sources, m.Source)
		}
	}
	return sources
}

func mounts(all []container.MountPoint) (out []engine.Mount) {
	for _, m := range all {
		at := engine.Mount{Source: m.Source, Target: m.Destination, ReadOnly: !m.RW}
		if m.Type == mount.TypeVolume {
			at.Volume = m.Name
		}
		out = append(out, at)
	}
	return out
}

// Running reports whether the container runs; one that does not exist does not.
func (e *Engine) Running(ctx context.Context, id string) (bool, error) {
	r, err := e.conn.Inspect(ctx, id)
	if errors.Is(err, engine.ErrNotFound) {
		return false, nil
	}
	return err == nil && r.State.Running, err
}

// List returns every container that dockersh made, running or not.
// The engine's listing has no Pid, ExitCode and OOMKilled: they are zero; Find
// has them. Sizes are asked for only on demand: the engine walks every file.
func (e *Engine) List(ctx context.Context, size bool) ([]*engine.Container, error) {
	list, err := e.list(ctx, engine.LabelOwner, size)
	if err != nil {
		return nil, err
	}
	out := make([]*engine.Container, 0, len(list))
	for i := range list {
		c := e.fromSummary(&list[i], size)
		if err := e.dropImageLabels(ctx, c, list[i].Mounts); err != nil {
			return nil, err
		}
		if _, ours := c.Labels[engine.LabelOwner]; ours {
			out = append(out, c)
		}
	}
	return out, nil
}

// list returns the containers with a label, "key" or "key=value".
func (e *Engine) list(ctx context.Context, label string, size bool) ([]container.Summary, error) {
	var out []container.Summary
	err := e.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ContainerList(ctx, client.ContainerListOptions{
			All: true, Size: size, Filters: make(client.Filters).Add("label", label),
		})
		out = r.Items
		return err
	})
	return out, err
}

func (e *Engine) fromSummary(s *container.Summary, size bool) *engine.Container {
	c := &engine.Container{
		ID:      s.ID,
		Image:   s.Image,
		ImageID: s.ImageID,
		State:   e.conn.Dialect().State(string(s.State)),
		Created: time.Unix(s.Created, 0),
		Labels:  s.Labels,
		Size:    -1,
	}
	if size {
		c.Size = s.SizeRw
	}
	for _, n := range s.Names {
		// Links to a container are listed as /other/alias.
		if n = strings.TrimPrefix(n, "/"); dialect.ValidName(n) {
			c.Name = n
			break
		}
	}
	return c
}
