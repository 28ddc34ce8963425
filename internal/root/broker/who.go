package broker

import (
	"context"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// who resolves the container user.
func (c *cold) who(ctx context.Context, img accounts) (account.Identity, error) {
	groups, err := c.Users.Groups(ctx, c.plan.User)
	if err != nil {
		return account.Identity{}, settings.AccountError(err)
	}
	known := policy.Image{
		Users: account.ParsePasswd(img.passwd), Groups: account.ParseGroup(img.group),
		MemberOf: func(user string) []account.Group { return account.GroupsOf(img.group, user) },
	}
	return c.plan.ContainerUser(groups, known, func(name string) (account.User, error) { return c.Users.ByName(ctx, name) })
}

// whoOf resolves the container user of a container that exists: by the image it
// was made from.
func (c *cold) whoOf(ctx context.Context, found *engine.Container) (account.Identity, error) {
	img, err := c.images.of(ctx, c.engine, found.ImageID)
	if err != nil {
		return account.Identity{}, err
	}
	return c.who(ctx, img)
}
