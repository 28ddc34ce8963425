package bringup

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// putFiles puts files into a container that was just made, or leaves them for
// writeLateFiles.
func (a *coldLogin) putFiles(ctx context.Context, made *engine.Container, files []engine.File) error {
	a.late = nil
	if a.writesLate(made) {
		if len(files) == 0 {
			return nil
		}
		if a.plan.ForeignImage() && bringsVolumes(made, a.plan.Settings.Volume) {
			return usererr.New(usererr.Settings, "the image "+a.plan.Settings.ImageName+" has volumes of its own, and directories of the host are mounted into your container",
				"set imagename in ~/.dockersh to an image without VOLUME", nil)
		}
		a.late = files
		return a.addHalfMade(made)
	}
	err := a.engine.PutFiles(ctx, made.ID, files)
	reset := slices.ContainsFunc(files, func(f engine.File) bool { return f.Reset })
	if errors.Is(err, engine.ErrMountInMount) && a.plan.Engine().Local() && !reset {
		a.late, err = files, nil
	}
	return err
}

// writesLate reports whether the files of a new container are written once it runs,
// instead of by the engine's copy: the copy mounts all that belongs into the container in
// the host's own file system, along paths that a user may be changing in a home or a
// volume (CVE-2018-15664 is of this class). Process 1 is without them for a moment: only
// where that is dockersh's own, or users have a say, is that so.
func (a *coldLogin) writesLate(made *engine.Container) bool {
	if !a.plan.Engine().Local() || os.Geteuid() != 0 {
		return false
	}
	return a.plan.Settings.Entrypoint == config.Internal || a.plan.ForeignImage() ||
		slices.ContainsFunc(made.Mounts, isNotOurs)
}

func isNotOurs(m engine.Mount) bool {
	return !engine.Within(m.Target, engine.OwnDir)
}

// bringsVolumes reports whether a container has volumes that its image asks for beside
// directories of the host. The runtime makes the place of each as root, and follows links
// to it: into a home, for one, where users may be swapping them (CVE-2024-45310).
func bringsVolumes(made *engine.Container, asked []string) bool {
	brings, shares := false, false
	for _, m := range made.Mounts {
		switch {
		case !isNotOurs(m):
		case slices.Contains(made.Binds, m.Source):
			shares = true
		case !slices.ContainsFunc(asked, func(v string) bool {
			f := strings.Split(v, ":")
			return len(f) > 1 && path.Clean(f[1]) == path.Clean(m.Target)
		}):
			brings = true
		}
	}
	return brings && shares
}

// writeLateFiles writes what putFiles left, into a container that was verified and that
// nobody has entered. Without a name the user still has the right numbers, which is worth
// a log line; but a user's image could give those another meaning.
func (a *coldLogin) writeLateFiles(inside *rootfs.Root, users idmap.Map, c *engine.Container, user account.Identity) error {
	if a.late == nil {
		return nil
	}
	if inside != nil && !a.plan.ForeignImage() && a.plan.Settings.Entrypoint == config.Internal {
		inside.TrustImage()
	}
	rootGID := users.Groups.Owner(0)
	for _, f := range a.late {
		var err error
		switch {
		case inside == nil:
			err = errNotSeen
		case f.Reset:
			err = inside.ResetDir(f.Path, rootGID)
		case f.Dir:
			err = inside.MakeHome(rootfs.User{Home: f.Path, Mounted: mountedIn(f.Path, c.Mounts),
				UID: users.Users.Owner(f.UID), GID: users.Groups.Owner(f.GID), RootGID: rootGID})
		default:
			err = inside.ReplaceFile(f.Path, f.Data, rootGID)
		}
		if err != nil && a.plan.ForeignImage() && !(f.Dir && !f.Reset) {
			return a.containerError("cannot be given its users: "+err.Error(), "remove imagename from ~/.dockersh, or choose an image whose /etc is a plain directory", err)
		}
		a.logNotAdded(user, err)
	}
	if a.plan.ForeignImage() {
		fixed, err := inside.OnlyRootChanges("/etc/group")
		if err != nil || !fixed {
			return a.containerError("cannot be given its users", "set imagename in ~/.dockersh to an image whose /etc is a plain directory", err)
		}
	}
	a.late = nil
	return a.setWhole(c)
}

// mountedIn returns the names in a directory that lead to mounts.
func mountedIn(dir string, mounts []engine.Mount) (names []string) {
	for _, m := range mounts {
		if rest, ok := strings.CutPrefix(m.Target, dir+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			names = append(names, name)
		}
	}
	return names
}
