package broker

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/life"
	"github.com/dockersh/dockersh/internal/rules/policy"
	"github.com/dockersh/dockersh/internal/rules/settings"
)

// places says what of the host goes into a new container. An engine that gives
// its containers other numbers for their users gets a home that is mapped.
func (c *cold) places(ctx context.Context, who account.Identity) (policy.Places, error) {
	at := policy.Places{Helpers: c.Helpers, Run: c.dir.In(), Mark: c.dir.Mark()}
	if !c.plan.Settings.MountHome || !c.plan.Engine().Local() {
		return at, nil // nothing of this host goes elsewhere
	}
	remap, err := c.engine.Remap(ctx)
	if err != nil || !remap.On {
		return at, err
	}
	groups, err := c.Users.Groups(ctx, c.plan.User)
	if err != nil {
		return at, settings.AccountError(err)
	}
	at.Home, at.Owners = c.dir.Home(), c.plan.Home(who, groups)
	// The engine wants to see the place already when it makes the container.
	return at, os.MkdirAll(at.Home, 0o755)
}

// unfit looks, when a container could not be made, whether the engine's user
// namespace is too small for who: a directory service gives large numbers, and the
// engine's own error does not tell.
func (c *cold) unfit(ctx context.Context, who account.Identity, err error) error {
	if remap, none := c.engine.Remap(ctx); none == nil && remap.On {
		if small := policy.AdmitNumbers(remap, who); small != nil {
			return small
		}
	}
	return err
}

// usersOf gives the user namespace of a running container: from the kernel, which
// knows it even if the engine was told to give this one container another.
func (c *cold) usersOf(ctx context.Context, found *engine.Container) (idmap.Map, error) {
	m, err := idmap.Of(found.Pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		err = errors.Join(c.alive(ctx), err) // it ended this moment: rather that
	}
	if errors.Is(err, idmap.ErrNested) {
		err = usererr.New(usererr.Container, "the container's user numbers are not of the service's making",
			"ask the administrator: a rootless engine takes a broker that runs as its own user", err)
	}
	return m, err
}

// rightHome refuses a container, just started, in which the mounted home is not
// its user's.
func (c *cold) rightHome(uid uint32, m idmap.Map, made life.Mapped) error {
	switch {
	case made.Home.From != "":
		if made.Fits(m) {
			return nil
		}
	case m.Same, !c.plan.Settings.MountHome, uid == c.plan.User.UID:
		return nil
	}
	return usererr.New(usererr.Container, "the container's user numbers are not those that its home was mounted for",
		"ask the administrator: the options of dockeropt, or of the engine's userns-remap, do not fit mounthome", nil)
}
