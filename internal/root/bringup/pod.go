package bringup

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/engine/presence"
	"github.com/dockersh/dockersh/internal/root/state"
)

// announce announces the login to the other login hosts that share the container, if there are any,
// before the engine is asked for it. Over ends that: where the login has entered, the bridge goes on with it.
func (a *coldLogin) announce(ctx context.Context) (over func(entered bool), err error) {
	shared, ok := a.engine.(engine.Shared)
	if !ok || !a.plan.Engine().IsCluster() {
		return func(bool) {}, nil
	}
	host, err := a.b.State.Host()
	if err != nil {
		return nil, err
	}
	a.presence = engine.Presence{Container: a.plan.Container, Host: host, Session: a.login.Session.ID}
	if a.presence.Session == "" { // nobody logs in
		a.presence.Session = state.NewSessionID()
	}
	if err := shared.Announce(ctx, a.presence); err != nil {
		return nil, err
	}
	end := presence.Hold(shared, a.presence)
	return func(entered bool) {
		end()
		if !entered {
			presence.Withdraw(shared, a.presence)
		}
	}, nil
}

// enterShared returns the container as it is once no other login host removes it any more; errNotReady
// where one was faster.
func (a *coldLogin) enterShared(ctx context.Context, found *engine.Container) (*engine.Container, error) {
	shared, ok := a.engine.(engine.Shared)
	if !ok || a.presence.Session == "" {
		return found, nil
	}
	now, err := shared.Enter(ctx, found.ID, a.presence)
	if errors.Is(err, engine.ErrNotFound) {
		err = errNotReady
	}
	return now, err
}
