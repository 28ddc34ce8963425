package bringup

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// onChangeRecreate is the value of the setting onchange that this file is about.
const onChangeRecreate = "recreate"

// mayRecreate reports whether a login must look whether its container is to be
// recreated, and so cannot be warm: the administrator wants it, and nobody else is in.
func (b *Bringup) mayRecreate(plan *policy.Plan) bool {
	return plan.Settings.OnChange == onChangeRecreate && b.isAlone(plan)
}

// recreateIfChanged removes a container that is not what the administrator's settings
// ask for today, if no session is in it, and returns what changed. The lock is held, and
// this login still waits.
func (a *coldLogin) recreateIfChanged(ctx context.Context) (changed ColdReason, err error) {
	if a.plan.Settings.OnChange != onChangeRecreate || a.target.InUse() {
		return "", nil
	}
	found, err := a.engine.Find(ctx, a.plan.Container)
	if err != nil {
		// There is none; or the engine does not answer, and the login goes on with what
		// runs. The error is met again where the engine is needed.
		return "", nil
	}
	owner, ours := policy.OwnerOf(found.Labels)
	if !ours || a.plan.CheckEntry(owner) != nil || found.State == engine.Paused {
		return "", nil // a login must not resume a paused container
	}
	changed = a.findChange(ctx, found, owner)
	if changed == "" {
		return "", nil
	}
	if a.login.KnownOnly {
		return "", policy.ErrUsersWord
	}
	vacant, err := lifecycle.WhileVacant(a.dir, a.target.InUse, func() error {
		a.show("recreating the container")
		if err := lifecycle.RemoveOld(ctx, a.engine, found); err != nil { // which keeps nobody out
			a.b.Log.Warn("cannot remove what a carry-over left", "container", a.plan.Container, "cause", err)
		}
		return lifecycle.RemoveFromEngine(ctx, a.engine, a.b.Inventory, found)
	})
	if errors.Is(err, engine.ErrInUse) {
		return "", nil
	}
	if !vacant || err != nil {
		return "", err
	}
	a.b.Log.Info("container removed", "container", a.plan.Container, "id", found.ID, "why", string(changed))
	return changed, a.dir.Clear()
}

// findChange returns what of a container is not as the administrator wants it today. It
// is compared with what a login of the user who made it would get today: the settings of
// other users may always have been different.
func (a *coldLogin) findChange(ctx context.Context, found *engine.Container, owner policy.Owner) ColdReason {
	admins := a.plan.Admins
	if owner.UID != a.plan.User.UID {
		admins = a.b.AdminSettings(ctx, owner.UID)
	}
	made := found.Labels[engine.LabelAdmins]
	if made != "" && admins != nil && admins.Hash() != made {
		return NewSettings
	}
	name, madeOf := found.Base()
	if id, err := a.engine.ImageID(ctx, name); err == nil && id != madeOf {
		return NewImage
	}
	return ""
}
