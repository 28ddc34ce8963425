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
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// errNotSeen is returned where the broker may not look into the container.
var errNotSeen = errors.New("process 1 of the container is another user's")

// verifyMounts looks into a running container before anything is started in it: an image,
// or a user who made a link where something is to be mounted, may have led the container's
// runtime elsewhere, so that something covers dockersh's directory. Then the container is
// stopped, unless somebody is in it, and the login refused.
//
// justStarted: nobody has entered it since it was started, so that the other mounts are
// looked at too. Afterwards users may rename what is above them.
func (a *coldLogin) verifyMounts(ctx context.Context, found *engine.Container, users idmap.Map, justStarted bool) (*rootfs.Root, error) {
	root, err := openRoot(found, users)
	if errors.Is(err, unix.EACCES) && os.Geteuid() != 0 {
		// The direct door, and process 1 is not the user's. Those who come here can ask
		// the engine for root themselves.
		return nil, nil
	}
	misplaced := ""
	if err == nil {
		misplaced, err = a.findMisplaced(root, found, justStarted)
	}
	if err == nil && misplaced == "" {
		return root, nil
	}
	if root != nil {
		_ = root.Close()
	}
	switch now, endErr := a.findRunning(ctx); {
	case endErr != nil:
		return nil, errors.Join(endErr, err)
	case now.Root != found.Root:
		return nil, a.containerError("was restarted meanwhile", "try again", err)
	}
	if err == nil {
		err = a.containerError("does not have at "+misplaced+" what was to be mounted there: a link, or another mount, is in the way",
			"ask the administrator to run: dockershctl reset "+a.plan.Container, nil)
	}
	if a.inUse() {
		return nil, err
	}
	return nil, errors.Join(err, a.engine.Stop(ctx, found.ID, 0))
}

// openRoot opens the root directory of a running container.
func openRoot(found *engine.Container, users idmap.Map) (*rootfs.Root, error) {
	if found.Root == "" {
		return nil, errors.New("the engine does not know process 1 of the container")
	}
	return rootfs.Open(found.Root, hostOwner(users.Users, 0))
}

// hostOwner returns the number on the host of an id in the container; without one the
// number that nobody has.
func hostOwner(r idmap.Ranges, id uint32) uint32 {
	if out, ok := r.Out(id); ok {
		return out
	}
	return 1<<32 - 1
}

// findMisplaced returns the first place in the container where something else is than
// what was mounted there; empty: there is none.
func (a *coldLogin) findMisplaced(root *rootfs.Root, found *engine.Container, justStarted bool) (string, error) {
	for inside, ours := range map[string]string{
		policy.InitInside: filepath.Join(a.b.Helpers, filepath.Base(policy.InitInside)),
		// It proves that this is the container's own directory, and so the right container.
		policy.RunInside + "/" + filepath.Base(a.dir.StartSocket()): a.dir.StartSocket(),
	} {
		if is, err := root.Has(inside, ours); err != nil || !is {
			return inside, err
		}
	}
	if !justStarted {
		return "", nil
	}
	for _, m := range found.Mounts {
		if is, err := root.IsInPlace(m.Target); err != nil || !is {
			return m.Target, err
		}
	}
	return "", nil
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
			UID: hostOwner(users.Users, user.UID), GID: hostOwner(users.Groups, user.GID), RootGID: hostOwner(users.Groups, 0)})
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
