package broker

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// settlePauses are the pauses before the engine is asked what became of a container that
// loses its agent, and asked again while it does not know yet.
var settlePauses = [...]time.Duration{0, 200 * time.Millisecond, 600 * time.Millisecond, 2200 * time.Millisecond}

// Fronts of one container share one answer. At most whyAtOnce answers are sought at a time,
// and at most whyOfUser for one user: an engine restart can end all sessions at once, and a
// user can ask about any number of containers.
const (
	whyAtOnce = 64
	whyOfUser = 8
)

// answerWhy answers a front whose agent is gone with what happened.
func (b *Broker) answerWhy(f *front, _ wire.Message) error {
	if f.plan.HostShell != "" {
		return f.Send(&wire.Reason{Text: "there is no container"})
	}
	ctx, cancel := context.WithTimeout(b.ctx, answerLimit-time.Second)
	defer cancel()
	reason, err := b.lost.find(ctx, f.uid, f.plan)
	if err != nil {
		reason = unknownFate
	}
	f.events.end.Lost = reason
	b.Log.Warn("session lost", "uid", f.uid, "container", f.plan.Container, "reason", reason)
	return f.Send(&wire.Reason{Text: reason})
}

const unknownFate = "the container ended"

// lostSessions finds out why sessions were lost.
type lostSessions struct {
	ctx     context.Context // its end is the end of all work
	engines *engine.Clients
	ask     func(ctx context.Context, at engine.Address, container string) string // as Config.AskWhyLost
	answers wait.Group[string]                                                    // under way
	turns   *wait.Turns
}

// find waits for the answer until ctx ends.
func (l *lostSessions) find(ctx context.Context, uid uint32, plan *policy.Session) (string, error) {
	at := plan.Engine
	key := strconv.FormatBool(plan.MayNeedExec) + " " + at.Host + " " + at.TLS + " " + plan.Container
	return l.answers.Go(ctx, key, func() (string, error) {
		ctx, cancel := context.WithTimeout(l.ctx, answerLimit-time.Second)
		defer cancel()
		release, err := l.turns.Acquire(ctx, uid)
		if err != nil {
			return "", err
		}
		defer release()
		return l.findNow(ctx, plan), nil
	})
}

func (l *lostSessions) findNow(ctx context.Context, plan *policy.Session) string {
	e, err := l.engines.Get(plan.Engine)
	switch {
	case errors.Is(err, engine.ErrNoClient):
		return l.ask(ctx, plan.Engine, plan.Container)
	case err != nil:
		return unknownFate
	}
	return WhyLost(ctx, e, plan.Container, plan.MayNeedExec)
}

// WhyLost returns, for the user, what happened to a container whose agent is gone or
// whose exec stream ended.
func WhyLost(ctx context.Context, e engine.Engine, container string, execStream bool) string {
	reason := unknownFate
	for _, pause := range settlePauses {
		wait.Sleep(ctx, pause)
		found, err := e.Find(ctx, container)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			return "the container was removed"
		case errors.Is(err, engine.ErrDown) && execStream:
			return "the session ended: the container's engine was stopped"
		case errors.Is(err, engine.ErrDown):
			return "the container ended: its engine was stopped"
		case err != nil && ctx.Err() != nil:
			return unknownFate
		case err != nil: // Podman has no answer while it removes a container
			reason = unknownFate
		case found.State == engine.Paused:
			return "the container is paused"
		case found.State == engine.Exited && found.OOMKilled:
			return "the container ran out of memory and was stopped"
		case found.State == engine.Exited:
			return "the container was stopped"
		case execStream:
			reason = "the container or its engine was restarted, or what carried the session was killed"
		default:
			reason = "the session's container was restarted, or its agent killed"
		}
	}
	return reason
}
