package containerfiles

import (
	"log/slog"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/idmap"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/root/mounts"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// Writer writes into a container of this host that runs and was verified. Nothing is run in
// it for that: what root runs there would be found along a path that others may have changed.
type Writer struct {
	Plan  *policy.Plan
	User  passwd.Identity // of the container
	Root  *rootfs.Root    // of the container; nil where it cannot be seen
	Users idmap.Map       // user numbers of the container
	Log   *slog.Logger
}

func (w Writer) rootGID() uint32 { return w.Users.Groups.OutOrNobody(0) }

func (w Writer) replace(name string, data []byte) error {
	return w.Root.ReplaceFile(name, data, w.rootGID())
}

// seen returns mounts.ErrNotSeen if nothing can be written.
func (w Writer) seen() error {
	if w.Root == nil {
		return mounts.ErrNotSeen
	}
	return nil
}

// homeOf returns a home and its owner, as this host numbers users.
func (w Writer) homeOf(home string, uid, gid uint32) rootfs.User {
	return rootfs.User{Home: home, UID: w.Users.Users.OutOrNobody(uid), GID: w.Users.Groups.OutOrNobody(gid), RootGID: w.rootGID()}
}

// WriteNew writes the files of a new container, which nobody has entered. Without a name the
// user still has the right numbers, which is worth a log line; but in a user's image those
// may have another meaning.
func (w Writer) WriteNew(files []engine.File, c *engine.Container) error {
	foreign := w.Plan.ForeignImage()
	if w.Root != nil && !foreign && w.Plan.Settings.Entrypoint == config.Internal {
		w.Root.TrustImage()
	}
	for _, f := range files {
		err := w.write(f, c)
		if f.Optional && err != nil {
			w.logNotWritten(f, err)
			continue
		}
		if err != nil && strings.Contains(err.Error(), unix.EROFS.Error()) {
			return usererr.New(usererr.Settings, engine.ReadOnlyText, engine.ReadOnlyHint, err)
		}
		if err != nil && foreign && !(f.Dir && !f.Reset) {
			return w.notPrepared(": "+err.Error(), err)
		}
		w.logNotAdded(err)
	}
	if !foreign {
		return nil
	}
	if fixed, err := w.Root.OnlyRootChanges("/etc/group"); err != nil || !fixed {
		return w.notPrepared("", err)
	}
	return nil
}

// write writes one file, or makes one directory.
func (w Writer) write(f engine.File, c *engine.Container) error {
	if err := w.seen(); err != nil {
		return err
	}
	switch {
	case f.Reset:
		return w.Root.ResetDir(f.Path, w.rootGID())
	case f.Dir:
		home := w.homeOf(f.Path, f.UID, f.GID)
		home.Mounted, home.Volume = mountedIn(f.Path, c.Mounts), isVolume(f.Path, c)
		home.FormerUID = formerOnHost(w.Users.Users, f, c)
		return w.Root.MakeHome(home)
	}
	return w.replace(f.Path, f.Data)
}

func (w Writer) logNotWritten(f engine.File, err error) {
	w.Log.Warn("a file is not written inside", "container", w.Plan.Container, "file", f.Path, "cause", err)
}

func (w Writer) notPrepared(why string, cause error) error {
	return usererr.New(usererr.Container, "the container "+w.Plan.Container+" cannot be prepared for its users"+why,
		"set imagename in ~/.dockersh to an image whose /etc is a plain directory, or remove it there", cause)
}

// WriteFollower writes what a container that took the place of another one, with the files
// of that, lacks by the settings of today.
func (w Writer) WriteFollower(files []engine.File, c *engine.Container) {
	w.addUser(c)
	if w.Root == nil {
		return
	}
	for _, f := range files {
		if err := w.replace(f.Path, f.Data); err != nil {
			w.logNotWritten(f, err)
		}
	}
	w.turnSudoOff()
}

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
