package bringup

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// errNotSeen is returned where the broker may not look into the container.
var errNotSeen = errors.New("process 1 of the container is another user's")

// verifyMounts looks into a running container before anything is started in it: an image,
// or a user who made a link where something is to be mounted, may have led the container's
// runtime elsewhere, so that something covers dockersh's directory. Then the container is
// stopped, unless somebody is in it, and the login refused. The other mounts are looked at
// once for each start: afterwards users may rename what is above them. In an image that a
// user chose, nobody but root may be able to change the groups.
func (a *coldLogin) verifyMounts(ctx context.Context, found *engine.Container, users idmap.Map) (*rootfs.Root, error) {
	root, err := lifecycle.OpenRoot(found, users)
	if errors.Is(err, unix.EACCES) && os.Geteuid() != 0 {
		// The direct door, and process 1 is not the user's. Those who come here can ask
		// the engine for root themselves.
		return nil, nil
	}
	misplaced, fixed := "", true
	if err == nil {
		misplaced, err = a.findMisplaced(root, found)
	}
	if err == nil && misplaced == "" && a.late == nil && policy.HasForeignImage(found.Labels) {
		fixed, err = root.OnlyRootChanges("/etc/group")
	}
	if err == nil && misplaced == "" && fixed {
		return root, nil
	}
	_ = root.Close()
	switch now, endErr := a.findRunning(ctx); {
	case endErr != nil:
		return nil, errors.Join(endErr, err)
	case now.Root != found.Root:
		return nil, a.containerError("was restarted meanwhile", "try again", err)
	}
	switch {
	case err != nil:
	case misplaced == "":
		// The engine looks there for the groups of all that it starts, even for numbers.
		err = a.containerError("has an /etc/group that its user can change, in an image that a user chose",
			"ask the administrator to run: dockershctl reset "+a.plan.Container, nil)
	default:
		err = lifecycle.ErrMisplaced(a.plan.Container, misplaced)
	}
	if a.inUse() {
		return nil, err
	}
	return nil, errors.Join(err, a.engine.Stop(ctx, found.ID, 0))
}

// findMisplaced returns the first place in the container where something else is than
// what is to be there; empty: there is none.
func (a *coldLogin) findMisplaced(root *rootfs.Root, found *engine.Container) (string, error) {
	own := []lifecycle.OwnFile{
		{Inside: policy.InitInside, Ours: filepath.Join(a.b.Helpers, filepath.Base(policy.InitInside))},
		// It proves that this is the container's own directory, and so the right container.
		{Inside: policy.RunInside + "/" + filepath.Base(a.dir.StartSocket()), Ours: a.dir.StartSocket()},
	}
	process, err := proc.Of(found.Pid)
	if err != nil {
		return "", err
	}
	if a.dir.IsVerified(process) {
		return lifecycle.FindMisplaced(root, own, nil)
	}
	misplaced, err := lifecycle.FindMisplaced(root, own, found.Mounts)
	if err == nil && misplaced == "" {
		err = a.dir.SetVerified(process)
	}
	return misplaced, err
}

// addUser makes a further user known in a container that runs. Nothing is run in it for
// that: what root runs there would be found along a path that others may have changed.
func (a *coldLogin) addUser(root *rootfs.Root, users idmap.Map, user account.Identity) {
	passwd, group, err := account.Entries(user)
	switch {
	case err != nil:
	case root == nil:
		err = errNotSeen
	default:
		err = root.AddUser(rootfs.User{Passwd: passwd, Group: group, Home: user.Home,
			UID: users.Users.Owner(user.UID), GID: users.Groups.Owner(user.GID), RootGID: users.Groups.Owner(0)})
	}
	a.logNotAdded(user, err)
}

// logNotAdded logs why a user was not added. Without a name the user still has the right
// numbers: worth a log line, not a refusal.
func (a *coldLogin) logNotAdded(user account.Identity, err error) {
	if err != nil {
		a.b.Log.Warn("cannot add the user inside", "container", a.plan.Container, "user", user.Name, "cause", err)
	}
}
