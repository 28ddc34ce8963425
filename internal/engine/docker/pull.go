package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"github.com/dockersh/dockersh/internal/engine"
)

// progressEvery is the shortest time between two lines of progress.
const progressEvery = 300 * time.Millisecond

// Pull fetches an image and ends when it is there. progress may be nil; it is
// called from this goroutine, at most a few times a second. Credentials of
// registries are not used, because they lie in somebody's configuration
// (~/.docker/config.json): an image of a private registry is pulled by hand.
// ErrNoImage when the registry has none of that name, ErrDown.
func (e *Engine) Pull(ctx context.Context, ref string, progress func(line string)) error {
	if err := checkImage(ref); err != nil {
		return err
	}
	// Without a limit of ours: one cannot tell a slow line from a dead one.
	cli, err := e.client(ctx)
	if err != nil {
		return mapped(err)
	}
	stream, err := cli.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err != nil {
		return mapped(notFound(err, engine.ErrNoImage))
	}
	p := newPulling(ref)
	var last time.Time
	for m, err := range stream.JSONMessages(ctx) {
		if err != nil {
			return fmt.Errorf("pulling %s: %w", ref, mapped(err))
		}
		if m.Error != nil {
			return fmt.Errorf("pulling %s: %w", ref, lined{m.Error})
		}
		p.add(m)
		if now := time.Now(); progress != nil && now.Sub(last) >= progressEvery {
			last = now
			progress(p.line())
		}
	}
	return ctx.Err()
}

// pulling sums up what an engine tells of the parts of one image.
type pulling struct {
	ref    string
	layers map[string]layer
}

// layer is one part of an image, in bytes.
type layer struct{ done, total int64 }

// maxLayers is more than any engine's file system can stack.
const maxLayers = 1024

func newPulling(ref string) *pulling { return &pulling{ref: ref, layers: map[string]layer{}} }

// add takes in one message of the engine.
func (p *pulling) add(m jsonstream.Message) {
	l, known := p.layers[m.ID]
	switch {
	case m.ID == "" || !known && len(p.layers) >= maxLayers:
		return
	case m.Status == "Downloading" && m.Progress != nil:
		l.done, l.total = max(m.Progress.Current, 0), max(m.Progress.Total, l.total)
	case m.Status == "Verifying Checksum", m.Status == "Download complete", m.Status == "Extracting":
		l.done = l.total
	default: // "Pulling fs layer", "Waiting", "Already exists": of no size that we know
		return
	}
	l.total = max(l.total, l.done)
	p.layers[m.ID] = l
}

// line tells how far it is: "pulling debian:12: 12.3 of 45.6 MB". The total
// grows while the engine learns of more parts.
func (p *pulling) line() string {
	var done, total int64
	for _, l := range p.layers {
		done, total = done+l.done, total+l.total
	}
	if total == 0 {
		return "pulling " + p.ref
	}
	return fmt.Sprintf("pulling %s: %.1f of %.1f MB", p.ref, float64(done)/1e6, float64(total)/1e6)
}
