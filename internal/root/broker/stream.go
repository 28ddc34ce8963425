package broker

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// errNotYet is a container in which no stream can be opened as it stands.
var errNotYet = errors.New("the container does not run, is being removed, or has an agent")

// stream gives a session in a container that runs and has no agent of ours.
func (c *cold) stream(ctx context.Context) (channel.Conn, error) {
	found, err := c.engine.Find(ctx, c.plan.Container)
	if errors.Is(err, engine.ErrNotFound) {
		return channel.Conn{}, errNotYet
	}
	if err != nil {
		return channel.Conn{}, err
	}
	owner, ours, err := c.plan.Admit(found.Labels, os.Geteuid())
	if err != nil {
		return channel.Conn{}, err
	}
	if found.State != engine.Running || ours && c.plan.Engine().Local() || c.dir.IsShut() {
		return channel.Conn{}, errNotYet
	}
	who, err := c.whoIn(ctx, found)
	if err != nil {
		return channel.Conn{}, err
	}
	if ours && owner.UID != c.plan.User.UID && c.plan.Settings.Entrypoint == config.Internal {
		c.introduce(ctx, found.ID, who) // it was made for another
	}
	return c.bridge(c.front, c.plan, &wire.Bridge{
		Engine: c.plan.Engine().Host, TLS: c.plan.Engine().TLS, Container: found.ID,
		UID: who.UID, GID: who.GID, User: who.Name, Home: who.Home,
	})
}

// own notes for whom a container of this host is, for warm logins.
func (c *cold) own(owner policy.Owner) error {
	if !c.plan.Engine().Local() {
		return nil // there are none
	}
	return c.dir.SetOwner(owner)
}

// withHelper adds dockersh-init to the files of a container on another host, where
// it cannot be mounted.
func (c *cold) withHelper(files []engine.File) ([]engine.File, error) {
	program, err := os.ReadFile(filepath.Join(c.Helpers, filepath.Base(policy.InitInside)))
	if err != nil {
		return nil, err
	}
	return append(files,
		engine.File{Path: policy.HelpersInside, Mode: 0o755, Dir: true},
		engine.File{Path: policy.InitInside, Mode: 0o755, Data: program}), nil
}

// whoIn resolves the container user without touching the container: what its
// passwd says now is in the hands of whoever is in it. The image's is asked only
// for a user who is not the login user, and may be gone.
func (c *cold) whoIn(ctx context.Context, found *engine.Container) (account.Identity, error) {
	if c.plan.Settings.ContainerUserName != c.plan.User.Name {
		who, err := c.whoOf(ctx, found)
		if !errors.Is(err, engine.ErrNoImage) {
			return who, err
		}
	}
	return c.who(ctx, accounts{})
}

// wakes tells whether a container made by hand is left to wake in this state.
func wakes(s engine.State) bool {
	return s != engine.Paused && s != engine.Removing && s != engine.Restarting
}

// wake starts a container that was made by hand. Nothing else is done to it, now
// or later.
func (c *cold) wake(ctx context.Context, found *engine.Container) error {
	switch found.State {
	case engine.Created, engine.Exited:
		release, err := c.engineTurn(ctx)
		if err != nil {
			return err
		}
		defer release()
		c.show("starting the container")
		return c.engine.Start(ctx, found.ID)
	case engine.Dead:
		return usererr.New(usererr.Container, "the container "+c.plan.Container+" is dead", "ask the administrator", nil)
	}
	return nil
}
