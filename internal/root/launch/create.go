package launch

import (
	"context"
	"errors"
	"time"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/containerfiles"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Create makes the container, with its user in it, and starts it. If a step fails, the
// container is removed again: nobody has worked in it yet.
func (t *Target) Create(ctx context.Context) (err error) {
	imageID, err := t.l.Images.Provide(ctx, t.engine, t.plan, t.show)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, MakeLimit)
	defer cancel()
	if err := t.checkSources(ctx, nil); err != nil {
		return err
	}
	release, err := t.l.acquireSlot(ctx, t.plan.User.UID, t.plan.ForeignImage())
	if err != nil {
		return err
	}
	defer release()
	p, err := t.prepare(ctx, imageID)
	if err != nil {
		return t.noImage(err)
	}
	t.show("making the container")
	// Written before the container exists: if this broker is killed, another one finds
	// and removes it.
	planned := &engine.Container{Labels: p.spec.Labels, Image: p.spec.Image, Limits: policy.LimitsOf(t.plan.Settings)}
	if err := t.WriteState(planned); err != nil {
		return err
	}
	created, err := t.engine.Create(ctx, p.spec)
	if err != nil {
		return explainFailure(ctx, t.engine, p.user, t.noImage(err))
	}
	defer func() {
		if err != nil {
			t.discard(created.ID)
			err = explainFailure(ctx, t.engine, p.user, err)
		}
	}()
	late, err := t.putFiles(ctx, created, p.files)
	if err != nil {
		return err
	}
	if err := t.writeOwner(t.plan.Owner); err != nil {
		return err
	}
	if late == nil {
		t.addToInventory(created)
	}
	t.l.Log.Info("container made", "container", t.plan.Container, "id", created.ID, "user", t.plan.User.Name, "image", p.spec.Image)
	return t.start(ctx, created, p.user, late, release)
}

// noImage names the image that a node of a cluster cannot get, which is known no sooner.
func (t *Target) noImage(err error) error {
	if !errors.Is(err, engine.ErrNoImage) || !t.plan.Engine().IsCluster() {
		return err
	}
	return usererr.New(usererr.Container, "there is no image "+t.plan.Settings.ImageName, usererr.ReadLog, err)
}

// prepared is a container that is to be created.
type prepared struct {
	spec  engine.Spec
	user  passwd.Identity // of the container
	files []engine.File   // to be put into it
}

// prepare finds out how the container is to be created. The engine learns nothing of it yet.
func (t *Target) prepare(ctx context.Context, imageID string) (p prepared, err error) {
	accounts, err := t.l.Images.Accounts(ctx, t.engine, imageID)
	if err != nil {
		return p, err
	}
	return t.prepareWith(ctx, imageID, accounts, t.plan.ForeignImage())
}

// prepareWith is prepare with the accounts of the image, which is foreign if a user chose it.
func (t *Target) prepareWith(ctx context.Context, imageID string, accounts images.Accounts, foreign bool) (p prepared, err error) {
	if p.user, err = t.users().resolve(ctx, accounts, foreign); err != nil {
		return p, err
	}
	if p.files, err = containerfiles.OfNew(t.plan, p.user, accounts, t.l.Helpers); err != nil {
		return p, err
	}
	host, err := t.hostPaths(ctx, p.user)
	if err != nil {
		return p, err
	}
	p.spec = t.plan.Spec(p.user, imageID, host)
	if t.plan.Engine().IsCluster() {
		p.files = containerfiles.OfPod(p.files, p.user, &p.spec)
		p.spec.Progress = t.show
	}
	last, vanished := t.Vanished()
	if vanished {
		p.spec.Former = last.ID
	}
	p.spec.FormerUnknown = t.l.Inventory == ""
	return p, nil
}

// putFiles has the engine put files into a container that was just made, and returns those
// that are to be written once it runs.
func (t *Target) putFiles(ctx context.Context, made *engine.Container, files []engine.File) (late []engine.File, err error) {
	if !containerfiles.AreLate(t.plan, made) {
		late, err := containerfiles.Copy(ctx, t.engine, t.l.Images, t.plan, made, files)
		if err != nil || !late {
			return nil, err
		}
		return files, nil
	}
	if len(files) == 0 {
		return nil, nil
	}
	if t.plan.ForeignImage() && bringsVolumes(made, t.plan.Settings.Volume) {
		return nil, usererr.New(usererr.Settings,
			"the image "+t.plan.Settings.ImageName+" has volumes of its own, "+
				"and directories of the host are mounted into your container",
			"set imagename in ~/.dockersh to an image without VOLUME", nil)
	}
	return files, t.addHalfMade(made)
}

// discard removes a half-made container, even if the time for the login is up.
func (t *Target) discard(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := t.RemoveHalfMade(ctx, id); err != nil {
		t.l.Log.Error("cannot remove a half-made container", "container", t.plan.Container, "id", id, "cause", err)
	}
}
