package bringup

import (
	"context"
	"errors"
	"os"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/root/containerfiles"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// errNotReady is returned where no exec stream can be opened as things stand.
var errNotReady = errors.New("the container does not run, is being removed, or has an agent")

// openExecStream opens a session over the engine's exec for a login, in a container that
// runs and has no agent of ours; errNotReady.
func (a *coldLogin) openExecStream(ctx context.Context) (channel.Conn, error) {
	found, err := a.engine.Find(ctx, a.plan.Container)
	if errors.Is(err, engine.ErrNotFound) {
		return channel.Conn{}, errNotReady
	}
	if err != nil {
		return channel.Conn{}, err
	}
	owner, ours, err := a.plan.Admit(found.Labels, os.Geteuid())
	if err != nil {
		return channel.Conn{}, err
	}
	if found.State == engine.Running {
		if found, err = a.enterShared(ctx, found); err != nil {
			return channel.Conn{}, err
		}
	}
	if found.State != engine.Running || ours && a.plan.Engine().Local() || a.dir.IsShut() {
		return channel.Conn{}, errNotReady
	}
	user, err := a.target.UserOf(ctx, found)
	if err != nil {
		return channel.Conn{}, err
	}
	if ours && owner.UID != a.plan.User.UID && a.plan.Settings.Entrypoint == config.Internal {
		containerfiles.AddUserByExec(ctx, a.engine, found, user, a.b.Log) // the container was made for another user
	}
	return a.b.startBridge(a.login, &wire.Bridge{
		Engine: a.plan.Engine().Host, TLS: a.plan.Engine().TLS, Container: found.ID,
		UID: user.UID, GID: user.GID, User: user.Name, Home: user.Home,
		Name: a.presence.Container, Host: a.presence.Host, Session: a.presence.Session,
	})
}
