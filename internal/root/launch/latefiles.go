package launch

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/lifecycle"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// writeFiles writes what putFiles left, into a container that was verified and that nobody
// has entered. Without a name the user still has the right numbers, which is worth
// a log line; but in a user's image those may have another meaning.
func (a *agentStart) writeFiles(late []engine.File, c *engine.Container) error {
	t, inside, users := a.t, a.root, a.users
	if inside != nil && !t.plan.ForeignImage() && t.plan.Settings.Entrypoint == config.Internal {
		inside.TrustImage()
	}
	rootGID := users.Groups.OutOrNobody(0)
	for _, f := range late {
		var err error
		switch {
		case inside == nil:
			err = lifecycle.ErrNotSeen
		case f.Reset:
			err = inside.ResetDir(f.Path, rootGID)
		case f.Dir:
			err = inside.MakeHome(rootfs.User{Home: f.Path, Mounted: mountedIn(f.Path, c.Mounts), Volume: isVolume(f.Path, c),
				FormerUID: formerOnHost(users.Users, f, c),
				UID:       users.Users.OutOrNobody(f.UID), GID: users.Groups.OutOrNobody(f.GID), RootGID: rootGID})
		default:
			err = inside.ReplaceFile(f.Path, f.Data, rootGID)
		}
		if f.Optional && err != nil {
			t.l.Log.Warn("a file is not written inside", "container", t.plan.Container, "file", f.Path, "cause", err)
			continue
		}
		if err != nil && strings.Contains(err.Error(), unix.EROFS.Error()) {
			return usererr.New(usererr.Settings, engine.ReadOnlyText, engine.ReadOnlyHint, err)
		}
		if err != nil && t.plan.ForeignImage() && !(f.Dir && !f.Reset) {
			return t.Error("cannot be prepared for its users: "+err.Error(), plainEtcHint, err)
		}
		t.logNotAdded(a.user, err)
	}
	if t.plan.ForeignImage() {
		fixed, err := inside.OnlyRootChanges("/etc/group")
		if err != nil || !fixed {
			return t.Error("cannot be prepared for its users", plainEtcHint, err)
		}
	}
	return t.setWhole(c)
}

const plainEtcHint = "set imagename in ~/.dockersh to an image whose /etc is a plain directory, or remove it there"

// formerOnHost returns the number on the host of the user of the image whose home it was; 0 for
// none, and for a home in a directory of the host, where that number is somebody else.
func formerOnHost(users idmap.Ranges, home engine.File, c *engine.Container) uint32 {
	if home.FromUID == 0 || slices.ContainsFunc(c.Mounts, func(m engine.Mount) bool {
		return slices.Contains(c.Binds, m.Source) && engine.Within(home.Path, m.Target)
	}) {
		return 0
	}
	return users.OutOrNobody(home.FromUID)
}

// isVolume reports whether a directory is a volume of the engine's, and nothing of the host.
func isVolume(dir string, c *engine.Container) bool {
	return slices.ContainsFunc(c.Mounts, func(m engine.Mount) bool {
		return path.Clean(m.Target) == path.Clean(dir) && !slices.Contains(c.Binds, m.Source)
	})
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
