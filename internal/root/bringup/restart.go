package bringup

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// restartIfReplaced stops a container that mounts a directory which was replaced on the
// host, if no session is in it: to be started with what is there now. The lock is held,
// and this login still waits.
func (a *coldLogin) restartIfReplaced(ctx context.Context) (changed ColdReason, err error) {
	path := a.b.launch.FindReplaced(a.plan)
	if path == "" || a.target.InUse() {
		return "", nil
	}
	found, err := a.engine.Find(ctx, a.plan.Container)
	if err != nil {
		return "", nil // as in recreateIfChanged
	}
	owner, ours := policy.OwnerOf(found.Labels)
	if !ours || a.plan.CheckEntry(owner) != nil || found.State != engine.Running {
		return "", nil
	}
	vacant, err := lifecycle.WhileVacant(a.dir, a.target.InUse, func() error {
		a.show("restarting the container")
		err := a.engine.Stop(ctx, found.ID, lifecycle.StopGrace)
		if errors.Is(err, engine.ErrNotFound) {
			return nil
		}
		return err
	})
	if !vacant || err != nil {
		return "", err
	}
	a.b.Log.Info("container stopped", "container", a.plan.Container, "id", found.ID, "why", string(NewSource), "path", path)
	return NewSource, a.dir.Open()
}
