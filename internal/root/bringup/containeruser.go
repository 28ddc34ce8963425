package bringup

import (
	"context"
	"errors"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// containerUser resolves the container user, with the accounts of the image.
func (a *attempt) containerUser(ctx context.Context, image state.Accounts) (account.Identity, error) {
	groups, err := a.b.Users.Groups(ctx, a.plan.User)
	if err != nil {
		return account.Identity{}, settings.AccountError(err)
	}
	known := policy.Image{
		Users: account.ParsePasswd(image.Passwd), Groups: account.ParseGroup(image.Group),
		MemberOf: func(user string) []account.Group { return account.GroupsOf(image.Group, user) },
	}
	return a.plan.ContainerUser(groups, known, func(name string) (account.User, error) { return a.b.Users.ByName(ctx, name) })
}

// containerUserOf resolves the container user of a container that exists, with the
// accounts of the image that it was made from.
func (a *attempt) containerUserOf(ctx context.Context, found *engine.Container) (account.Identity, error) {
	image, err := a.b.images.accounts(ctx, a.engine, found.ImageID)
	if err != nil {
		return account.Identity{}, err
	}
	return a.containerUser(ctx, image)
}

// containerUserFor resolves the container user without touching the container: what its
// passwd says now is in the hands of whoever is in it. The image is asked only for a
// container user that is not the login user, and may be gone.
func (a *attempt) containerUserFor(ctx context.Context, found *engine.Container) (account.Identity, error) {
	if a.plan.Settings.ContainerUserName != a.plan.User.Name {
		user, err := a.containerUserOf(ctx, found)
		if !errors.Is(err, engine.ErrNoImage) {
			return user, err
		}
	}
	return a.containerUser(ctx, state.Accounts{})
}
