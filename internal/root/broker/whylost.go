package broker

import (
	"context"
	"errors"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// settleLimit is how long a container that loses its agent may take until the engine
// knows what became of it.
const settleLimit = 3 * time.Second

// answerWhy answers a front whose agent is gone with what happened.
func (b *Broker) answerWhy(f *front, _ wire.Message) error {
	if f.plan.HostShell != "" {
		return f.Send(&wire.Reason{Text: "there is no container"})
	}
	ctx, cancel := context.WithTimeout(b.ctx, answerLimit-time.Second)
	defer cancel()
	reason := b.whyLost(ctx, f.plan)
	f.events.end.Lost = reason
	b.Log.Warn("session lost", "uid", f.uid, "container", f.plan.Container, "reason", reason)
	return f.Send(&wire.Reason{Text: reason})
}

func (b *Broker) whyLost(ctx context.Context, plan *policy.Plan) string {
	e, err := b.engines.Get(plan.Engine())
	switch {
	case errors.Is(err, engine.ErrNoClient):
		return b.AskWhyLost(ctx, plan.Engine(), plan.Container)
	case err != nil:
		return "the container ended"
	}
	return WhyLost(ctx, e, plan.Container, plan.MayNeedExec())
}

// WhyLost returns, for the user, what happened to a container whose agent is gone or
// whose exec stream ended.
func WhyLost(ctx context.Context, e engine.Engine, container string, execStream bool) string {
	for end := time.Now().Add(settleLimit); ; wait.Sleep(ctx, 100*time.Millisecond) {
		found, err := e.Find(ctx, container)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return "the container was removed"
		case errors.Is(err, engine.ErrDown) && execStream:
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
		case time.Now().After(end) && execStream:
			return "the container or its engine was restarted, or what carried the session was killed"
		case time.Now().After(end):
			return "the session's container was restarted, or its agent killed"
		}
	}
}
