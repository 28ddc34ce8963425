// Package fate finds out what became of a container whose agent is gone, for the users who
// were in it.
package fate

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// settlePauses are the pauses before the engine is asked what became of a container that
// loses its agent, and asked again while it does not know yet.
var settlePauses = [...]time.Duration{0, 200 * time.Millisecond, 600 * time.Millisecond, 2200 * time.Millisecond}

// Those who ask about one container share one answer. At most maxAtOnce answers are sought at
// a time, and at most maxOfUser for one user: an engine restart can end all sessions at once, and
// a user can ask about any number of containers.
const (
	maxAtOnce = 64
	maxOfUser = 8
)

// Limit is how long an answer may take.
const Limit = 9 * time.Second

// Unknown is the answer where the engine has none.
const Unknown = "the container ended"

// Finder finds it out for many at once.
type Finder struct {
	ctx     context.Context // its end is the end of all work
	engines *engine.Clients
	ask     func(ctx context.Context, at engine.Address, container string) string
	answers wait.Group[string] // under way
	turns   *wait.Turns
}

// New returns a Finder, which works until ctx ends. Where engines has no client, ask answers
// instead of Of.
func New(ctx context.Context, engines *engine.Clients, ask func(ctx context.Context, at engine.Address, container string) string) *Finder {
	return &Finder{ctx: ctx, engines: engines, ask: ask, turns: wait.NewTurns(maxAtOnce, maxOfUser)}
}

// Find waits for the answer about the container of a user's session, at most until ctx ends.
func (f *Finder) Find(ctx context.Context, uid uint32, s *policy.Session) (string, error) {
	key := strconv.FormatBool(s.MayNeedExec) + " " + s.Engine.Host + " " + s.Engine.TLS + " " + s.Container
	return f.answers.Go(ctx, key, func() (string, error) {
		ctx, cancel := context.WithTimeout(f.ctx, Limit)
		defer cancel()
		release, err := f.turns.Acquire(ctx, uid)
		if err != nil {
			return "", err
		}
		defer release()
		return f.find(ctx, s), nil
	})
}

func (f *Finder) find(ctx context.Context, s *policy.Session) string {
	e, err := f.engines.Get(s.Engine)
	switch {
	case errors.Is(err, engine.ErrNoClient):
		return f.ask(ctx, s.Engine, s.Container)
	case err != nil:
		return Unknown
	}
	return Of(ctx, e, s.Container, s.MayNeedExec)
}

// Of returns, for the user, what happened to a container whose agent is gone or
// whose exec stream ended.
func Of(ctx context.Context, e engine.Engine, container string, execStream bool) string {
	reason := Unknown
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
			return Unknown
		case err != nil: // Podman has no answer while it removes a container
			reason = Unknown
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
