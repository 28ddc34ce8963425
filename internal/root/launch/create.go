package launch

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Create makes the container, with its user in it, and starts it. If a step fails, the
// container is removed again: nobody has worked in it yet.
func (t *Target) Create(ctx context.Context) (err error) {
	s := t.plan.Settings
	imageID, err := t.l.Images.Provide(ctx, t.engine, t.plan, t.show)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, MakeLimit)
	defer cancel()
	if err := t.checkSources(ctx, nil); err != nil {
		return err
	}
	release, err := t.l.acquireSlot(ctx, t.plan.User.UID)
	if err != nil {
		return err
	}
	defer release()
	accounts, err := t.l.Images.Accounts(ctx, t.engine, imageID)
	if err != nil {
		return err
	}
	user, err := t.users().resolve(ctx, accounts, t.plan.ForeignImage())
	if err != nil {
		return err
	}
	files, err := accountFiles(accounts, user, !s.MountHome, t.plan.ForeignImage())
	if err != nil {
		return err
	}
	if !t.plan.Engine().Local() {
		if files, err = withHelper(files, t.l.Helpers); err != nil {
			return err
		}
	}
	host, err := t.hostPaths(ctx, user)
	if err != nil {
		return err
	}
	t.show("making the container")
	spec := t.plan.Spec(user, imageID, host)
	// Written before the container exists: if this broker is killed, another one finds
	// and removes it.
	if err := t.WriteState(&engine.Container{Labels: spec.Labels, Image: s.ImageName}); err != nil {
		return err
	}
	made, err := t.engine.Create(ctx, spec)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			t.discard(made.ID)
			err = explainFailure(ctx, t.engine, user, err)
		}
	}()
	late, err := t.putFiles(ctx, made, files)
	if err != nil {
		return err
	}
	if err := t.writeOwner(t.plan.Owner); err != nil {
		return err
	}
	if late == nil {
		t.addToInventory(made)
	}
	t.l.Log.Info("container made", "container", t.plan.Container, "id", made.ID, "user", t.plan.User.Name, "image", s.ImageName)
	return t.start(ctx, made, user, late, release)
}

// discard removes a half-made container, even if the time for the login is up.
func (t *Target) discard(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := t.RemoveHalfMade(ctx, id); err != nil {
		t.l.Log.Error("cannot remove a half-made container", "container", t.plan.Container, "id", id, "cause", err)
	}
}

// withHelper adds dockersh-init to the files of a container on another host, where it
// cannot be mounted.
func withHelper(files []engine.File, helpers string) ([]engine.File, error) {
	program, err := os.ReadFile(filepath.Join(helpers, filepath.Base(policy.InitInside)))
	if err != nil {
		return nil, err
	}
	return append(files,
		engine.File{Path: policy.HelpersInside, Mode: 0o755, Dir: true},
		engine.File{Path: policy.InitInside, Mode: 0o755, Data: program}), nil
}
