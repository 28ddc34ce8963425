package broker

import (
	"context"
	"errors"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

// settled is how long a container that loses its agent may take until the engine
// knows what became of it.
const settled = 3 * time.Second

// why tells a front whose agent is gone what happened.
func (b *Broker) why(f *front, _ wire.Message) error {
	if f.plan.HostShell != "" {
		return f.Send(&wire.Reason{Text: "there is no container"})
	}
	ctx, cancel := context.WithTimeout(b.stop, firstWord-time.Second)
	defer cancel()
	reason := b.fate(ctx, f.plan)
	f.visit.end.Lost = reason
	b.Log.Warn("session lost", "uid", f.uid, "container", f.plan.Container, "reason", reason)
	return f.Send(&wire.Reason{Text: reason})
}

// Fate says what became of a container, whose agent is gone or whose stream ended.
func Fate(ctx context.Context, e engine.Engine, container string, streams bool) string {
	for end := time.Now().Add(settled); ; pause(ctx, 100*time.Millisecond) {
		found, err := e.Find(ctx, container)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return "the container was removed"
		case errors.Is(err, engine.ErrDown) && streams:
			return "the session ended: the container's engine was stopped"
		case errors.Is(err, engine.ErrDown):
			return "the container ended: its engine was stopped"
		case err != nil && (ctx.Err() != nil || time.Now().After(end)):
			return "the container ended"
		case err != nil: // Podman has no answer while it removes a container
		case found.State == engine.Paused:
			return "the container is paused"
		case found.State == engine.Exited && found.OOMKilled:
			return "the container ran out of memory and was stopped"
		case found.State == engine.Exited:
			return "the container was stopped"
		case time.Now().After(end) && streams:
			return "the container or its engine was restarted, or what carried the session was killed"
		case time.Now().After(end):
			return "the session's container was restarted, or its agent killed"
		}
	}
}
