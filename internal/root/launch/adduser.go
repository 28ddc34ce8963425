package launch

import (
	"context"
	"errors"
	"strconv"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// AddUserByExec adds another user to passwd and group of a container on another host, where
// a program inside must do it, as root. It runs only where the program is certain to be the
// one that was put there: nothing is mounted that could cover it, and the image is not a
// user's choice.
func (t *Target) AddUserByExec(ctx context.Context, found *engine.Container, user account.Identity) {
	administrators := found.Labels[engine.LabelAdmins]
	if len(found.Mounts) > 0 || administrators == "" || administrators != found.Labels[engine.LabelSettings] {
		t.logNotAdded(user, errors.New("its image or its mounts could have replaced "+policy.InitInside))
		return
	}
	passwd, group, err := account.Entries(user)
	if err == nil {
		var code int
		argv := []string{policy.InitInside, "adduser", passwd, group, user.Home}
		if code, err = engine.Run(ctx, t.engine, found.ID, engine.Program{Argv: argv}); err == nil && code != 0 {
			err = errors.New("dockersh-init adduser ended with exit code " + strconv.Itoa(code))
		}
	}
	t.logNotAdded(user, err)
}

// addUser adds another user to passwd and group of a container that runs. Nothing is run in
// it for that: what root runs there would be found along a path that others may have changed.
// follows is the container if it took another one's place; nil otherwise.
func (a *agentStart) addUser(follows *engine.Container) {
	passwd, group, err := account.Entries(a.user)
	switch {
	case err != nil:
	case a.root == nil:
		err = lifecycle.ErrNotSeen
	default:
		err = a.root.AddUser(rootfs.User{Passwd: passwd, Group: group, Home: a.user.Home,
			Volume: follows != nil && isVolume(a.user.Home, follows), WasMounted: follows != nil,
			UID: a.users.Users.OutOrNobody(a.user.UID), GID: a.users.Groups.OutOrNobody(a.user.GID),
			RootGID: a.users.Groups.OutOrNobody(0)})
	}
	for _, f := range sudoers(a.t.plan, a.user) {
		if err == nil {
			err = a.root.ReplaceFile(f.Path, f.Data, a.users.Groups.OutOrNobody(0))
		}
	}
	a.t.logNotAdded(a.user, err)
}

// logNotAdded logs why a user was not added. Without a name the user still has the right
// numbers: worth a log line, not a refusal.
func (t *Target) logNotAdded(user account.Identity, err error) {
	if err != nil {
		t.l.Log.Warn("cannot add the user inside", "container", t.plan.Container, "user", user.Name, "cause", err)
	}
}
