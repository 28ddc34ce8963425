package launch

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// WriteState writes the container's retention and what it was made from, in this order,
// so that no container is known that nobody would look after. One that has no id yet is
// about to be made. The lock is held.
func (t *Target) WriteState(c *engine.Container) error {
	r := state.Retention{Engine: t.plan.Engine(), IdleTimeout: t.plan.Settings.IdleTimeout}
	r.Linger, r.Ephemeral = policy.Ephemeral(c.Labels)
	if err := t.l.State.Retentions().Set(t.plan.Container, r); err != nil {
		return err
	}
	if c.ID != "" {
		t.addToInventory(c)
	}
	made := lifecycle.MadeFrom(c, t.plan.Engine())
	if change, stays := policy.LimitsToSet(t.plan.Settings, c.Limits); change == (engine.Limits{}) && !stays {
		made.Limits = lifecycle.LimitsText(t.plan.Settings)
	}
	return t.dir.SetMade(made)
}

// writeOwner writes for whom a container of this host is, for warm logins. There are
// none to containers elsewhere.
func (t *Target) writeOwner(owner policy.Owner) error {
	if !t.plan.Engine().Local() {
		return nil
	}
	return t.dir.SetOwner(owner)
}

// addToInventory notes a container that was made to stay. A disk that is full does not
// refuse the login: without the entry nobody learns that the container vanished, or that an engine
// which forgot it still has its files. A pod may be removed by another login host, and its files go with
// it in any case.
func (t *Target) addToInventory(c *engine.Container) {
	owner, ours := policy.OwnerOf(c.Labels)
	if _, ephemeral := policy.Ephemeral(c.Labels); ephemeral || !ours || t.plan.Engine().IsCluster() {
		return
	}
	entry := state.Expected{ID: c.ID, UID: owner.UID, Engine: t.plan.Engine().Host}
	if now, ok := t.l.Inventory.Get(t.plan.Container); ok && now.ID == c.ID {
		entry.Old = now.Old // which the next holder of the lock removes
	}
	if err := t.l.Inventory.Set(t.plan.Container, entry); err != nil {
		t.l.Log.Warn("cannot write the inventory", "container", t.plan.Container, "cause", err)
	}
}

// setWhole ends what addHalfMade noted, before anybody enters the container. With an error
// nobody may: the entry would have the container removed, with all work in it.
func (t *Target) setWhole(c *engine.Container) error {
	t.addToInventory(c)
	if !t.IsHalfMade(c) {
		return nil
	}
	return t.l.Inventory.Remove(t.plan.Container) // which takes no room on a full disk
}

// addHalfMade notes a container that is about to be started without all of its files. If
// this broker is killed, the next login knows that nobody was in it. Where it cannot be
// noted the container is not made: that costs nobody any work, and a container without its
// files would look whole after a power cut.
func (t *Target) addHalfMade(c *engine.Container) error {
	return t.l.Inventory.Set(t.plan.Container,
		state.Expected{ID: c.ID, UID: t.plan.User.UID, Engine: t.plan.Engine().Host, Unfinished: true})
}

// RemoveHalfMade removes a container that nobody has entered. Its entry stays until it is
// gone: else a later login would take it for whole.
func (t *Target) RemoveHalfMade(ctx context.Context, id string) error {
	if err := t.engine.Remove(ctx, id); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	return t.l.Inventory.Remove(t.plan.Container)
}

// IsHalfMade reports whether a container was left half made by a broker that was killed.
// The lock is held.
func (t *Target) IsHalfMade(c *engine.Container) bool {
	s, ok := t.l.Inventory.Get(t.plan.Container)
	return ok && s.Unfinished && s.ID == c.ID
}

// Vanished returns the entry of a container that the engine does not have, if it was made, and
// removed outside dockersh, with all work in it. The lock is held.
func (t *Target) Vanished() (last state.Expected, ok bool) {
	last, ok = t.l.Inventory.Get(t.plan.Container)
	return last, ok && !last.Unfinished && engine.SameHost(last.Engine, t.plan.Engine().Host)
}

// LogVanished logs that a container vanished, once another one has its place: logins that fail
// do not log it each.
func (t *Target) LogVanished(last state.Expected) {
	t.l.Log.Warn("container vanished", "container", t.plan.Container, "id", last.ID, "uid", last.UID, "user", t.plan.User.Name)
}
