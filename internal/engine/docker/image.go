package docker

import (
	"context"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
	"github.com/dockersh/dockersh/internal/proto/environ"
)

// Image describes an image on the engine's host. One that was committed from a container
// that dockersh made has its labels, if only without values.
func (e *Engine) Image(ctx context.Context, ref string) (engine.Image, error) {
	if err := dialect.CheckImage(ref); err != nil {
		return engine.Image{}, err
	}
	var r client.ImageInspectResult
	err := e.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) (err error) {
		r, err = cli.ImageInspect(ctx, ref)
		return api.NotFound(err, engine.ErrNoImage)
	})
	if err != nil {
		return engine.Image{}, err
	}
	out := engine.Image{ID: r.ID, Names: []string{r.ID}}
	for _, name := range slices.Concat(r.RepoTags, r.RepoDigests) {
		out.Names = append(out.Names, e.ImageNames(name)...)
	}
	if r.Config != nil {
		for label := range r.Config.Labels {
			out.Committed = out.Committed || strings.HasPrefix(label, "dockersh.")
		}
		out.Layer = r.Config.Labels[engine.LabelLayer] != ""
		out.Path = environ.Get(r.Config.Env, "PATH")
	}
	return out, nil
}

// ImageNames returns docker.io/library/busybox:latest, docker.io/library/busybox,
// busybox:latest and busybox for the last of them.
func (e *Engine) ImageNames(ref string) []string { return imageNames(e.conn.Dialect(), ref) }

func imageNames(d *dialect.Dialect, ref string) []string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return []string{ref} // an id
	}
	named = reference.TagNameOnly(named)
	names := []string{named.String(), reference.FamiliarString(named)}
	_, pinned := named.(reference.Digested) // the tag beside a digest means nothing
	if tagged, ok := named.(reference.Tagged); ok && tagged.Tag() == "latest" && !pinned {
		names = append(names, reference.TrimNamed(named).Name(), reference.FamiliarName(named))
	}
	if d.FullImageNames {
		for _, name := range names {
			if short, ok := strings.CutPrefix(name, "localhost/"); ok { // no registry, but what was made here
				names = append(names, short)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
