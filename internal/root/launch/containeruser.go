package launch

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/root/images"
	"github.com/dockersh/dockersh/internal/root/state"
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
func (r userResolver) resolve(ctx context.Context, image state.Accounts, foreign bool) (account.Identity, error) {
	groups, err := r.host.Groups(ctx, r.plan.User)
	if err != nil {
		return account.Identity{}, settings.AccountError(err)
	}
	known := policy.Image{
		Users: account.ParsePasswd(image.Passwd), Groups: account.ParseGroup(image.Group),
		MemberOf: func(user string) []account.Group { return account.GroupsOf(image.Group, user) },
		Foreign:  foreign,
	}
	return r.plan.ContainerUser(groups, known, func(name string) (account.User, error) { return r.host.ByName(ctx, name) })
}

// resolveFor resolves the container user of a container that exists, with the accounts of
// the image that it was made from.
func (r userResolver) resolveFor(ctx context.Context, found *engine.Container) (account.Identity, error) {
	image, err := r.images.Accounts(ctx, r.engine, found.ImageID)
	if err != nil {
		return account.Identity{}, err
	}
	return r.resolve(ctx, image, policy.HasForeignImage(found.Labels))
}

// resolveWithoutImage is resolveFor without the image where that is possible: the
// image is asked only for a container user that is not the login user, and may be gone.
// The container's own passwd is in the hands of whoever is in it.
func (r userResolver) resolveWithoutImage(ctx context.Context, found *engine.Container) (account.Identity, error) {
	if r.plan.Settings.ContainerUserName != r.plan.User.Name {
		user, err := r.resolveFor(ctx, found)
		if !errors.Is(err, engine.ErrNoImage) {
			return user, err
		}
	}
	return r.resolve(ctx, state.Accounts{}, policy.HasForeignImage(found.Labels))
}

// UserOf returns the container user for a session over the engine's exec.
func (t *Target) UserOf(ctx context.Context, found *engine.Container) (account.Identity, error) {
	return t.users().resolveWithoutImage(ctx, found)
}
