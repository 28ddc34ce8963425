package launch

import (
	"context"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/root/containerfiles"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Follower is a container that takes the place of another one, with what is in that.
type Follower struct {
	t *Target
	p prepared
}

// PrepareFollower finds out how a container would be made that takes the place of another one.
// lifecycle.Kept is why it cannot. The engine learns nothing of it yet.
func (t *Target) PrepareFollower(ctx context.Context, old *engine.Container) (*Follower, error) {
	name, imageID := old.Base()
	owner, _ := policy.OwnerOf(old.Labels)
	_, ephemeral := policy.Ephemeral(old.Labels)
	s := t.plan.Settings
	switch {
	case name != s.ImageName:
		return nil, lifecycle.Kept("the settings name another image")
	case policy.HasForeignImage(old.Labels) != t.plan.ForeignImage():
		return nil, lifecycle.Kept("somebody else names its image now")
	case owner != t.plan.Owner:
		return nil, lifecycle.Kept("its name stands for somebody else now")
	case ephemeral:
		return nil, lifecycle.Kept("it is ephemeral")
	case old.Labels[engine.LabelAgent] == "" || s.Entrypoint != config.Internal:
		return nil, lifecycle.Kept("its process 1 is not dockersh's own") // and may be what the image makes of it
	}
	if option := policy.KeepingOption(s); option != "" {
		return nil, lifecycle.Kept("dockeropt has " + option)
	}
	if err := t.checkSources(ctx, nil); err != nil {
		return nil, err
	}
	accounts, foreign, err := t.users().accountsOf(ctx, old)
	if err != nil {
		return nil, err
	}
	p, err := t.prepareWith(ctx, imageID, accounts, foreign)
	if err != nil {
		return nil, err
	}
	p.files = containerfiles.LoginPath(string(accounts.Path), s.Env)
	p.spec.Labels[engine.LabelFrom] = old.ID
	p.spec.Labels[engine.LabelEphemeral] = "" // it was made to stay
	if err := attachVolumes(&p.spec, old.Mounts); err != nil {
		return nil, err
	}
	if t.plan.ForeignImage() && bringsVolumes(planned(p.spec, old.Mounts), s.Volume) {
		return nil, volumesMeetHost
	}
	return &Follower{t: t, p: p}, nil
}

// Make makes and starts the container. Nobody is to enter it yet. What is left of it after an
// error is for the caller to remove.
func (f *Follower) Make(ctx context.Context, layer string) (*engine.Container, error) {
	t := f.t
	ctx, cancel := context.WithTimeout(ctx, MakeLimit)
	defer cancel()
	release, err := t.l.acquireSlot(ctx, t.plan.User.UID, t.plan.ForeignImage())
	if err != nil {
		return nil, err
	}
	defer release()
	t.show("making the container with its new settings")
	f.p.spec.Layer = layer
	made, err := t.engine.Create(ctx, f.p.spec)
	if err != nil {
		return nil, err
	}
	if t.plan.ForeignImage() && bringsVolumes(made, t.plan.Settings.Volume) {
		return nil, volumesMeetHost
	}
	follower := *t
	follower.follows, follower.late = true, f.p.files
	if err := follower.start(ctx, made, f.p.user, nil, release); err != nil {
		return nil, explainFailure(ctx, t.engine, f.p.user, err)
	}
	t.l.Log.Info("container made", "container", t.plan.Container, "id", made.ID, "user", t.plan.User.Name,
		"follows", made.Labels[engine.LabelFrom])
	return made, nil
}

// Settle writes what is known of a container that took the place of another one: it may be
// entered.
func (f *Follower) Settle(made *engine.Container) error {
	if err := f.t.WriteState(made); err != nil {
		return err
	}
	return f.t.writeOwner(f.t.plan.Owner)
}
