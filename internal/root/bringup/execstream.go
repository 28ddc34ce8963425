package bringup

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/proto/channel"
	"github.com/dockersh/dockersh/internal/proto/wire"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
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
	if found.State != engine.Running || ours && a.plan.Engine().Local() || a.dir.IsShut() {
		return channel.Conn{}, errNotReady
	}
	user, err := a.users().resolveWithoutImage(ctx, found)
	if err != nil {
		return channel.Conn{}, err
	}
	if ours && owner.UID != a.plan.User.UID && a.plan.Settings.Entrypoint == config.Internal {
		a.execAddUser(ctx, found, user) // the container was made for another user
	}
	return a.b.startBridge(a.login, &wire.Bridge{
		Engine: a.plan.Engine().Host, TLS: a.plan.Engine().TLS, Container: found.ID,
		UID: user.UID, GID: user.GID, User: user.Name, Home: user.Home,
	})
}

// execAddUser makes a further user known in a container on another host, where a program
// inside must do it, as root. It runs only where the program is certain to be the one that
// was put there: nothing is mounted that could cover it, and the image is not a user's
// choice.
func (a *coldLogin) execAddUser(ctx context.Context, found *engine.Container, user account.Identity) {
	administrators := found.Labels[engine.LabelAdmins]
	if len(found.Mounts) > 0 || administrators == "" || administrators != found.Labels[engine.LabelSettings] {
		a.logNotAdded(user, errors.New("its image or its mounts could have replaced "+policy.InitInside))
		return
	}
	passwd, group, err := account.Entries(user)
	if err == nil {
		err = a.engine.Exec(ctx, found.ID, 0, 0, []string{policy.InitInside, "adduser", passwd, group, user.Home})
	}
	a.logNotAdded(user, err)
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

// canStartAdopted reports whether an adopted container is to be started, or runs, in
// this state.
func canStartAdopted(s engine.State) bool {
	return s != engine.Paused && s != engine.Removing && s != engine.Restarting
}

// startAdopted starts an adopted container. Nothing else is done to it, now or later.
func (a *coldLogin) startAdopted(ctx context.Context, found *engine.Container) error {
	switch found.State {
	case engine.Created, engine.Exited:
		release, err := a.takeSlot(ctx)
		if err != nil {
			return err
		}
		defer release()
		a.show("starting the container")
		return a.engine.Start(ctx, found.ID)
	case engine.Dead:
		return a.containerError("is dead", "ask the administrator to run: docker rm "+a.plan.Container, nil)
	}
	return nil
}
