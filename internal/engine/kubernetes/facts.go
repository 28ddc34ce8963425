package kubernetes

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/kubernetes/manifest"
)

// About returns the version of the API server, and what our rights are.
func (e *Engine) About(ctx context.Context) (engine.About, error) {
	var v struct{ GitVersion string }
	about := engine.About{Name: "Kubernetes", Oldest: "1.29", Seccomp: true}
	err := e.get(ctx, "/version", &v)
	if err == nil {
		about.Version = strings.TrimPrefix(v.GitVersion, "v")
		about.RightsMissing, about.RightsExcess, err = e.rights(ctx)
	}
	return about, err
}

// Remap returns nothing: the nodes decide.
func (e *Engine) Remap(ctx context.Context) (engine.Remap, error) { return engine.Remap{}, ctx.Err() }

// get asks for what is not in the core group.
func (e *Engine) get(ctx context.Context, path string, into any) error {
	return e.call(ctx, func(ctx context.Context) error {
		at := *e.core.Get().URL()
		at.Path, at.RawQuery = path, ""
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
		if err != nil {
			return err
		}
		answer, err := e.http.Do(r)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		switch err := fmt.Errorf("%s: %s", path, answer.Status); answer.StatusCode {
		case http.StatusOK:
		case http.StatusNotFound:
			return fmt.Errorf("%w: %w", engine.ErrNotFound, err)
		case http.StatusUnauthorized, http.StatusForbidden:
			return fmt.Errorf("%w: %w", engine.ErrDenied, err)
		default:
			return err
		}
		return json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(into)
	})
}

// Usage measures a pod by the metrics API. Where the cluster has none, only the time is known.
func (e *Engine) Usage(ctx context.Context, id string) (engine.Usage, error) {
	p, err := e.podOfID(ctx, id)
	if err != nil {
		return engine.Usage{}, err
	}
	if stateOf(p) != engine.Running {
		return engine.Usage{}, fmt.Errorf("%w: it does not run", engine.ErrNotFound)
	}
	u := engine.Usage{At: time.Now()}
	var m struct {
		Timestamp  time.Time
		Containers []struct {
			Name  string
			Usage struct{ Memory string }
		}
	}
	err = e.get(ctx, "/apis/metrics.k8s.io/v1beta1/namespaces/"+e.namespace+"/pods/"+p.Name, &m)
	if isNotFound(err) {
		return u, nil
	}
	for _, c := range m.Containers {
		if memory, err := resource.ParseQuantity(c.Usage.Memory); err == nil && c.Name == manifest.Main {
			u.At, u.Memory = m.Timestamp, memory.Value()
		}
	}
	return u, err
}

// The images are on the nodes, and nobody knows on which. A name is all that is known of one, so
// it is the id, and a node pulls what it lacks.

// ImageID returns the name.
func (e *Engine) ImageID(ctx context.Context, ref string) (string, error) {
	if _, err := reference.ParseNormalizedNamed(ref); err != nil {
		return "", fmt.Errorf("%w: %q: %w", engine.ErrNoImage, ref, err)
	}
	return ref, ctx.Err()
}

// Image describes an image by its name.
func (e *Engine) Image(ctx context.Context, ref string) (engine.Image, error) {
	id, err := e.ImageID(ctx, ref)
	return engine.Image{ID: id, Names: append(e.ImageNames(ref), id)}, err
}

// ImageNames returns an image's name in full, and as short as it may be.
func (e *Engine) ImageNames(ref string) []string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil
	}
	named = reference.TagNameOnly(named)
	return []string{named.String(), reference.FamiliarString(named)}
}

// Pull does nothing: the node pulls.
func (e *Engine) Pull(ctx context.Context, ref string, _ func(string)) error {
	_, err := e.ImageID(ctx, ref)
	return err
}
