package launch

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/root/mounts"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// verify looks into a running container before anything is started in it: an image,
// or a user who made a link where something is to be mounted, may have led the container's
// runtime elsewhere, so that something covers dockersh's directory. Then the container is
// stopped, unless somebody is in it, and the login refused. The other mounts are looked at
// once for each start: afterwards users may rename what is above them. In an image that a
// user chose, nobody but root may be able to change the groups; whole is false where they
// are still to be written.
func (a *agentStart) verify(ctx context.Context, found *engine.Container, whole bool) error {
	if a.root == nil {
		return nil
	}
	fixed := true
	misplaced, err := a.findMisplaced(found)
	if err == nil && misplaced == "" && whole && policy.HasForeignImage(found.Labels) {
		fixed, err = a.root.OnlyRootChanges("/etc/group")
	}
	if err == nil && misplaced == "" && fixed {
		return nil
	}
	switch now, endErr := a.t.findRunning(ctx); {
	case endErr != nil:
		return errors.Join(endErr, err)
	case now.Root != found.Root:
		return a.t.Error("was restarted meanwhile", "try again", errors.Join(ErrEnded, err))
	}
	switch {
	case err != nil:
	case misplaced == "":
		// The engine looks there for the groups of all that it starts, even for numbers.
		err = a.t.Error("has an /etc/group that its user can change, in an image that a user chose",
			"ask the administrator to run: dockershctl reset "+a.t.plan.Container, nil)
	default:
		err = mounts.ErrMisplaced(a.t.plan.Container, misplaced)
	}
	if a.t.InUse() {
		return err
	}
	return errors.Join(err, a.t.engine.Stop(ctx, found.ID, 0))
}

// findMisplaced returns the first place in the container where something else is than
// what is to be there; empty: there is none.
func (a *agentStart) findMisplaced(found *engine.Container) (string, error) {
	files := []mounts.OwnFile{
		mounts.OwnInit(found, a.t.l.Helpers),
		// It proves that this is the container's own directory, and so the right container.
		{Inside: policy.RunInside + "/" + filepath.Base(a.t.dir.StartSocket()), Ours: a.t.dir.StartSocket()},
	}
	process, err := proc.Of(found.Pid)
	if err != nil {
		return "", err
	}
	if a.t.dir.LastStart().IsVerified(process) {
		return mounts.FindMisplaced(a.root, files, nil)
	}
	misplaced, err := mounts.FindMisplaced(a.root, files, found.Mounts)
	if err == nil && misplaced == "" {
		err = a.t.dir.LastStart().SetVerified(process)
	}
	return misplaced, err
}
