package bringup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/launch"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// carriesAtOnce is how many containers are carried over at a time: each copies all that is in one.
const carriesAtOnce = 2

// maxForConnection is how many bytes a container may have in it that is carried over for a
// connection, which the user waits for without a line about it.
const maxForConnection = 64 << 20

// CarriesOver reports whether a container that was made otherwise gets the settings of a plan, with
// what is in it, by onchange = apply. Another image takes a new container, and limits change in the
// one that is there.
func CarriesOver(plan *policy.Plan, made state.Made) bool {
	s := plan.Settings
	return s.OnChange == onChangeApply && plan.Engine().Local() && made.UID == plan.User.UID && made.Image == s.ImageName &&
		lifecycle.HasOtherSettings(made, s) && (made.Fixed == "" || made.Fixed != s.FixedHash())
}

// mayCarryOver reports whether a login must look whether its container is to be carried over to
// other settings, and so cannot be warm.
func (b *Bringup) mayCarryOver(l Login, made state.Made) bool {
	if b.Inventory == "" || l.KnownOnly || !CarriesOver(l.Plan, made) || !b.isAlone(l.Plan) {
		return false
	}
	kept, ok := b.State.Container(l.Plan.Container).Kept()
	return !ok || kept.Settings != l.Plan.Settings.Hash()
}

// place returns the place of the login's container, whose lock is held.
func (a *coldLogin) place() lifecycle.Place {
	return lifecycle.Place{Engine: a.engine, Host: a.plan.Engine().Host, Inventory: a.b.Inventory, Dir: a.dir}
}

// carryOver carries the login's container over to the settings of today, if nothing
// runs in it. The lock is held, and this login still waits. Where that is not possible the login
// goes on with the container as it is, with a notice.
func (a *coldLogin) carryOver(ctx context.Context) (changed ColdReason, err error) {
	if made, err := a.dir.Made(); err != nil || !a.b.mayCarryOver(a.login, made) {
		return "", nil
	}
	err = a.carryOverNow(ctx)
	if err == nil {
		return CarriedOver, nil
	}
	if errors.Is(err, lifecycle.ErrUnfinished) {
		return "", err
	}
	if errors.Is(err, engine.ErrNotFound) {
		return "", nil // there is none
	}
	why := "it could not be carried over"
	var kept lifecycle.Kept
	if errors.As(err, &kept) {
		why = string(kept)
	} else if ctx.Err() == nil {
		a.b.Log.Warn("cannot carry a container over to other settings", "container", a.plan.Container, "cause", err)
	}
	k := state.Kept{Settings: a.plan.Settings.Hash(), Refused: errors.Is(err, engine.ErrOption), Why: why}
	if err := a.dir.SetKept(k); err != nil {
		return "", err
	}
	return "", ctx.Err() // the next login does not begin at once what this one was broken off in
}

// CarryOver carries the container of a plan, whose lock is held, over to the settings of today.
// lifecycle.Kept is why not.
func (b *Bringup) CarryOver(ctx context.Context, plan *policy.Plan) error {
	a, err := b.newColdLogin(Login{Plan: plan, Session: &state.Session{}}, func(string) {})
	if err != nil {
		return err
	}
	return a.carryOverNow(ctx)
}

const somethingRuns = lifecycle.Kept("something runs in it")

// hasProcesses reports whether anything may run in a container, and nobody is there to be asked.
func (a *coldLogin) hasProcesses(old *engine.Container) bool {
	idle, known := lifecycle.IsIdle(a.dir)
	return !idle && (known || old.State == engine.Running)
}

// carryOverNow carries the container over, unless somebody is in it or something runs in it.
func (a *coldLogin) carryOverNow(ctx context.Context) error {
	if a.target.InUse() {
		return somethingRuns
	}
	old, err := a.engine.Find(ctx, a.plan.Container)
	if err != nil {
		return err
	}
	owner, ours := policy.OwnerOf(old.Labels)
	switch {
	case !ours || a.plan.CheckEntry(owner) != nil || a.target.IsHalfMade(old) || !a.dir.HasMark(old.Labels[engine.LabelMark]):
		return lifecycle.Kept("it is not the user's")
	case old.State != engine.Running && old.State != engine.Exited:
		return lifecycle.Kept("it is " + string(old.State))
	case old.Labels[engine.LabelSettings] == a.plan.Settings.Hash():
		return a.target.WriteState(old) // the broker that carried it over was killed before it did this
	case a.hasProcesses(old):
		return somethingRuns
	}
	follower, err := a.target.PrepareFollower(ctx, old)
	if err != nil {
		return err
	}
	a.show("looking at the disk before the container gets new settings")
	release, err := a.acquireCarry(ctx)
	if err != nil {
		return err
	}
	defer release()
	size, err := a.place().CheckRoom(ctx, old)
	if err != nil {
		return err
	}
	if a.login.Session.Connection && size > maxForConnection {
		return lifecycle.Kept("it has much in it, and the administrator can run: dockershctl apply " + a.plan.Container)
	}
	return a.follow(ctx, old, follower, size)
}

// carryLimit is how long a login waits until less containers are carried over: two users with much
// in theirs could keep everybody waiting.
const carryLimit = 10 * time.Second

func (a *coldLogin) acquireCarry(ctx context.Context) (release func(), err error) {
	if a.login.Session.ID == "" { // an administrator waits
		return a.b.carries.Acquire(ctx, a.plan.User.UID)
	}
	limited, cancel := context.WithTimeout(ctx, carryLimit)
	defer cancel()
	release, err = a.b.carries.Acquire(limited, a.plan.User.UID)
	if err != nil && ctx.Err() == nil {
		err = lifecycle.Kept("others are being carried over at the moment")
	}
	return release, err
}

// follow lets another container take the place of one.
func (a *coldLogin) follow(ctx context.Context, old *engine.Container, follower *launch.Follower, size int64) error {
	entry := state.Expected{UID: a.plan.User.UID, Engine: a.plan.Engine().Host}
	var next *engine.Container
	occupied := func() bool { return a.target.InUse() || a.hasProcesses(old) }
	vacant, err := lifecycle.WhileVacant(a.dir, occupied, func() (err error) {
		a.show(fmt.Sprintf("carrying what is in the container over to its new settings (%d MB)", size/1e6))
		next, err = a.place().CarryOver(ctx, old, entry, follower.Make)
		return err
	})
	if !vacant && err == nil {
		err = somethingRuns
	}
	if err != nil {
		return err
	}
	a.b.Log.Info("container carried over to other settings", "container", a.plan.Container, "id", next.ID, "from", old.ID,
		"user", a.plan.User.Name)
	return follower.Settle(next)
}
