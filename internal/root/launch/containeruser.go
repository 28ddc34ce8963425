package launch

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// userResolver turns the container user of a plan into numbers, home and groups.
type userResolver struct {
	plan   *policy.Plan
	host   *account.DB
	images *images.Images
	engine engine.Engine
}

func (t *Target) users() userResolver {
	return userResolver{t.plan, t.l.Users, t.l.Images, t.engine}
}

// resolve resolves the container user, with the accounts of the image, which is foreign if
// a user chose it.
func (r userResolver) resolve(ctx context.Context, image images.Accounts, foreign bool) (passwd.Identity, error) {
	groups, err := r.host.Groups(ctx, r.plan.User)
	if err != nil {
		return passwd.Identity{}, settings.AccountError(err)
	}
	known := policy.Image{
		Users: passwd.Users(image.Passwd), Groups: passwd.Groups(image.Group),
		MemberOf: func(user string) []account.Group { return passwd.GroupsOf(image.Group, user) },
		Foreign:  foreign,
	}
	return r.plan.ContainerUser(groups, known, func(name string) (account.User, error) { return r.host.ByName(ctx, name) })
}

// resolveFor resolves the container user of a container that exists, with the accounts of
// the image that it was made from.
func (r userResolver) resolveFor(ctx context.Context, found *engine.Container) (passwd.Identity, error) {
	image, foreign, err := r.accountsOf(ctx, found)
	if err != nil {
		return passwd.Identity{}, err
	}
	return r.resolve(ctx, image, foreign)
}

// accountsOf returns the accounts of the image that a container was made from. Where that is
// gone, and the container has the layer of another one, it is that layer, which counts as a
// user's: whoever was in it may have changed them.
func (r userResolver) accountsOf(ctx context.Context, found *engine.Container) (a images.Accounts, foreign bool, err error) {
	_, id := found.Base()
	a, err = r.images.Accounts(ctx, r.engine, id)
	if errors.Is(err, engine.ErrNoImage) && found.ImageID != id {
		a, err = r.images.Accounts(ctx, r.engine, found.ImageID)
		return a, true, err
	}
	return a, policy.HasForeignImage(found.Labels), err
}

// resolveWithoutImage is resolveFor without the image where that is possible: the
// image is asked only for a container user that is not the login user, and may be gone.
// The container's own passwd is in the hands of whoever is in it.
func (r userResolver) resolveWithoutImage(ctx context.Context, found *engine.Container) (passwd.Identity, error) {
	if r.plan.Settings.ContainerUserName != r.plan.User.Name {
		user, err := r.resolveFor(ctx, found)
		if !errors.Is(err, engine.ErrNoImage) {
			return user, err
		}
	}
	return r.resolve(ctx, images.Accounts{}, policy.HasForeignImage(found.Labels))
}

// UserOf returns the container user for a session over the engine's exec.
func (t *Target) UserOf(ctx context.Context, found *engine.Container) (passwd.Identity, error) {
	return t.users().resolveWithoutImage(ctx, found)
}
