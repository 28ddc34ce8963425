package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/docker/api"
	"github.com/dockersh/dockersh/internal/engine/docker/dialect"
)

// ImageID returns the id of an image on the engine's host.
func (e *Engine) ImageID(ctx context.Context, ref string) (string, error) {
	if err := dialect.CheckImage(ref); err != nil {
		return "", err
	}
	var id string
	err := e.conn.Call(ctx, api.CallLimit, func(ctx context.Context, cli *client.Client) error {
		r, err := cli.ImageInspect(ctx, ref)
		id = r.ID
		return api.NotFound(err, engine.ErrNoImage)
	})
	return id, err
}

// progressEvery is the shortest time between two lines of progress.
const progressEvery = 300 * time.Millisecond

// Pull fetches an image. It calls show from this goroutine, at most a few times
// a second. Credentials of registries are not used, because they lie in somebody's
// configuration (~/.docker/config.json): an image of a private registry is pulled by
// hand. engine.ErrNoImage when the registry has no image of that name.
func (e *Engine) Pull(ctx context.Context, ref string, show func(line string)) error {
	if err := dialect.CheckImage(ref); err != nil {
		return err
	}
	return e.conn.Count(e.pull(ctx, ref, show))
}

func (e *Engine) pull(ctx context.Context, ref string, show func(line string)) error {
	// No limit of our own: a slow line looks like a dead one.
	cli, err := e.conn.Client(ctx)
	if err != nil {
		return api.Error(err)
	}
	stream, err := cli.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return api.Error(api.NotFound(err, engine.ErrNoImage))
	}
	p := newProgress(ref)
	var last time.Time
	for m, err := range stream.JSONMessages(ctx) {
		if err != nil {
			return fmt.Errorf("pulling %s: %w", ref, api.Error(err))
		}
		if m.Error != nil {
			return fmt.Errorf("pulling %s: %w", ref, api.OneLine(m.Error))
		}
		p.add(m)
		if now := time.Now(); show != nil && now.Sub(last) >= progressEvery {
			last = now
			show(p.line())
		}
	}
	return ctx.Err()
}

// progress sums up what an engine reports of the layers of one image.
type progress struct {
	ref    string
	layers map[string]layer
}

// layer is a layer of an image, in bytes.
type layer struct{ done, total int64 }

// maxLayers is more than any engine's file system can stack.
const maxLayers = 1024

func newProgress(ref string) *progress { return &progress{ref: ref, layers: map[string]layer{}} }

// add adds one message of the engine.
func (p *progress) add(m jsonstream.Message) {
	l, known := p.layers[m.ID]
	switch {
	case m.ID == "" || !known && len(p.layers) >= maxLayers:
		return
	case m.Status == "Downloading" && m.Progress != nil:
		l.done, l.total = max(m.Progress.Current, 0), max(m.Progress.Total, l.total)
	case m.Status == "Verifying Checksum", m.Status == "Download complete", m.Status == "Extracting":
		l.done = l.total
	default: // "Pulling fs layer", "Waiting", "Already exists": its size is not known yet
		return
	}
	l.total = max(l.total, l.done)
	p.layers[m.ID] = l
}

// line returns "pulling debian:12: 12.3 of 45.6 MB". The total grows while the engine
// learns of more layers.
func (p *progress) line() string {
	var done, total int64
	for _, l := range p.layers {
		done, total = done+l.done, total+l.total
	}
	if total == 0 {
		return "pulling " + p.ref
	}
	return fmt.Sprintf("pulling %s: %.1f of %.1f MB", p.ref, float64(done)/1e6, float64(total)/1e6)
}
