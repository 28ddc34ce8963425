package bringup

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// addToInventory notes a container that was made to stay. A disk that is full does not
// refuse the login: without the entry nobody learns that the container vanished, and no
// more.
func (a *coldLogin) addToInventory(c *engine.Container) {
	owner, ours := policy.OwnerOf(c.Labels)
	if _, ephemeral := policy.Ephemeral(c.Labels); ephemeral || !ours {
		return
	}
	err := a.b.Inventory.Set(a.plan.Container, state.Stock{ID: c.ID, UID: owner.UID, Engine: a.plan.Engine().Host})
	if err != nil {
		a.b.Log.Warn("cannot write the inventory", "container", a.plan.Container, "cause", err)
	}
}

// setWhole ends what addHalfMade noted, before anybody enters the container. With an error
// nobody may: the entry would have the container removed, with all work in it.
func (a *coldLogin) setWhole(c *engine.Container) error {
	a.addToInventory(c)
	if !a.isHalfMade(c) {
		return nil
	}
	return a.b.Inventory.Remove(a.plan.Container) // which takes no room on a full disk
}

// addHalfMade notes a container that is about to be started without all of its files. If
// this broker is killed, the next login knows that nobody was in it.
func (a *coldLogin) addHalfMade(c *engine.Container) error {
	return a.b.Inventory.Set(a.plan.Container, state.Stock{ID: c.ID, UID: a.plan.User.UID, Engine: a.plan.Engine().Host, Half: true})
}

// removeHalfMade removes a container that nobody has entered. Its entry stays until it is
// gone: else a later login would take it for whole.
func (a *coldLogin) removeHalfMade(ctx context.Context, id string) error {
	if err := a.engine.Remove(ctx, id); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return a.b.Inventory.Remove(a.plan.Container)
}

// isHalfMade reports whether a container was left half made by a broker that was killed.
// The lock is held.
func (a *coldLogin) isHalfMade(c *engine.Container) bool {
	s, ok := a.b.Inventory.Get(a.plan.Container)
	return ok && s.Half && s.ID == c.ID
}

// whyMissing returns why the engine has no container of the plan's name: none was made,
// or it was removed behind our back, with all work in it. The lock is held.
func (a *coldLogin) whyMissing() ColdReason {
	last, ok := a.b.Inventory.Get(a.plan.Container)
	if !ok || last.Half || last.Engine != a.plan.Engine().Host {
		return NotCreated
	}
	a.b.Log.Warn("container vanished", "container", a.plan.Container, "id", last.ID, "uid", last.UID, "user", a.plan.User.Name)
	return Vanished
}
