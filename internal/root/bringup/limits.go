package bringup

import (
	"context"

	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// onChangeApply is the value of the setting onchange that this file is about.
const onChangeApply = "apply"

// maySetLimits reports whether a login must change the limits of its container, or look at
// them, and so cannot be warm: they are not those of today's settings of the user who made it.
func (b *Bringup) maySetLimits(l Login) bool {
	if l.Plan.Settings.OnChange != onChangeApply || l.KnownOnly {
		return false
	}
	made, err := b.State.Container(l.Plan.Container).Made()
	if err != nil {
		return !l.Plan.MayAdopt() // the host was restarted, or there is no container of ours
	}
	return made.UID == l.Plan.User.UID && made.Limits != lifecycle.LimitsText(l.Plan.Settings)
}

// setLimits changes the limits of the container, whoever is in it. The lock is held. Where it
// fails the login goes on, with a notice.
func (a *coldLogin) setLimits(ctx context.Context) (changed ColdReason) {
	if !a.b.maySetLimits(a.login) {
		return ""
	}
	found, err := a.engine.Find(ctx, a.plan.Container)
	if err != nil {
		return "" // as in recreateIfChanged
	}
	owner, ours := policy.OwnerOf(found.Labels)
	if !ours || a.plan.CheckEntry(owner) != nil || owner.UID != a.plan.User.UID {
		return ""
	}
	did, err := lifecycle.SetLimits(ctx, a.engine, a.dir, found, a.plan.Settings)
	switch {
	case err != nil:
		a.b.Log.Warn("cannot change the limits of a container", "container", a.plan.Container, "id", found.ID, "cause", err)
	case did:
		a.b.Log.Info("limits changed", "container", a.plan.Container, "id", found.ID, "user", a.plan.User.Name)
		return NewLimits
	}
	return ""
}
