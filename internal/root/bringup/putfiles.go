package bringup

import (
	"context"
	"errors"
	"slices"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/rootfs"
)

// putFiles puts files into a container that was just made. Where a mount lies in another
// one, a user may make the engine write them anywhere: then they are written once the
// container runs, and its mounts stay where they are; but not in the place of what an image
// may have made the user's.
func (a *coldLogin) putFiles(ctx context.Context, made *engine.Container, files []engine.File) error {
	a.late = nil
	err := a.engine.PutFiles(ctx, made.ID, files)
	reset := slices.ContainsFunc(files, func(f engine.File) bool { return f.Reset })
	if errors.Is(err, engine.ErrMountInMount) && a.plan.Engine().Local() && !reset {
		a.late, err = files, nil
	}
	return err
}

// writeLateFiles writes what putFiles left, into a container that was verified and that
// nobody has entered.
func (a *coldLogin) writeLateFiles(inside *rootfs.Root, users idmap.Map, user account.Identity) {
	for _, f := range a.late {
		var err error
		switch {
		case inside == nil:
			err = errNotSeen
		case f.Dir:
			err = inside.MakeHome(rootfs.User{Home: f.Path, UID: users.Users.Owner(f.UID), GID: users.Groups.Owner(f.GID), RootGID: users.Groups.Owner(0)})
		default:
			err = inside.ReplaceFile(f.Path, f.Data, users.Groups.Owner(0))
		}
		a.logNotAdded(user, err)
	}
	a.late = nil
}
