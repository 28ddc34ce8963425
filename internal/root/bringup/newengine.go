package bringup

import (
	"context"
	"errors"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// leaveLimit is how long an engine that the settings no longer name is waited for.
const leaveLimit = 30 * time.Second

// isOnAnotherEngine reports whether the container of this name that was last started is on
// another engine of this host than the plan's: the settings named that one when it was made.
// Containers of one name share one directory, and so the sockets of their agents.
func isOnAnotherEngine(plan *policy.Plan, made state.Made) bool {
	return engine.Address{Host: made.Engine}.Local() && !engine.SameHost(made.Engine, plan.Engine().Host)
}

// mayLeaveEngine reports whether a login must look whether to leave another engine, and so
// cannot be warm.
func (b *Bringup) mayLeaveEngine(l Login, made state.Made) bool {
	return !l.KnownOnly && isOnAnotherEngine(l.Plan, made) && b.isAlone(l.Plan)
}

// leaveEngine stops the container of this name on another engine if no session is in it, or
// removes it if it is ephemeral, so that its agents do not meet the logins to the new one. The
// lock is held, and this login still waits.
func (a *coldLogin) leaveEngine(ctx context.Context) (changed ColdReason, err error) {
	made, err := a.dir.Made()
	if err != nil || a.login.KnownOnly || !isOnAnotherEngine(a.plan, made) || a.target.InUse() {
		return "", nil
	}
	if owner, err := a.dir.Owner(); err == nil && a.plan.CheckEntry(owner) != nil {
		return "", nil // the login is refused
	}
	a.show("leaving the container on the other engine")
	vacant, err := lifecycle.WhileVacant(a.dir, a.target.InUse, func() error { return a.stopOn(ctx, engine.Address{Host: made.Engine}) })
	if !vacant || err != nil {
		return "", err
	}
	return NewEngine, a.dir.Clear()
}

// stopOn stops the container of this name on an engine that the settings no longer name. An
// engine that is gone holds no login up: none of its agents is accepted in place of another
// container's.
func (a *coldLogin) stopOn(ctx context.Context, at engine.Address) error {
	old, err := a.b.Engines.Get(at)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, leaveLimit)
	defer cancel()
	found, err := old.Find(ctx, a.plan.Container)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err == nil && a.dir.HasMark(found.Labels[engine.LabelMark]) {
		if _, ephemeral := policy.Ephemeral(found.Labels); ephemeral {
			err = lifecycle.RemoveFromEngine(ctx, old, a.b.Inventory, found)
		} else if found.State == engine.Running {
			err = old.Stop(ctx, found.ID, lifecycle.StopGrace)
		}
	}
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		a.b.Log.Warn("cannot stop a container on another engine", "container", a.plan.Container, "engine", at.Host, "cause", err)
		return nil
	}
	a.b.Log.Info("container left", "container", a.plan.Container, "engine", at.Host, "why", string(NewEngine))
	return nil
}
