package bringup

import (
	"errors"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// checkPlaces refuses a container that is about to be started if a mount lies where users
// can make a link, and a program in it may have more rights than they: it would find files
// of theirs in place of the system's, before anything can be looked at. What counts is how
// the container was made, and what today's settings say.
func (a *coldLogin) checkPlaces(c *engine.Container, user account.Identity) error {
	local := a.plan.Engine().Local()
	if user.UID == 0 || !a.plan.RightsMayGrow() && !c.MayGain || local && os.Geteuid() != 0 {
		return nil // nothing is to be gained, or whoever comes here may ask the engine for it
	}
	for _, m := range c.Mounts {
		if below(m.Target, engine.OwnDir) {
			continue
		}
		movable, err := isMovable(m, c.Mounts, user.Home, local)
		if err != nil {
			return err
		}
		if movable {
			return usererr.New(usererr.Settings, "the mount at "+m.Target+" lies where users can make a link, and programs in the container may gain rights",
				"ask the administrator to mount it at a place such as /mnt/"+path.Base(m.Target)+", or to set nonewprivileges", nil)
		}
	}
	return nil
}

// isMovable reports whether users can change a name on the way to a mount.
func isMovable(m engine.Mount, all []engine.Mount, home string, local bool) (bool, error) {
	if below(m.Target, home) || config.BelowTmp(m.Target) {
		return true, nil
	}
	for _, outer := range all {
		if !below(m.Target, outer.Target) {
			continue
		}
		if !local {
			return true, nil // what is in it cannot be known
		}
		root, err := rootfs.Open(outer.Source, 0)
		if errors.Is(err, unix.ENOTDIR) {
			continue
		}
		if errors.Is(err, unix.ENOENT) {
			return true, nil // a home that is mounted only during the start
		}
		if err != nil {
			return false, err
		}
		fixed, err := root.IsFixed(strings.TrimPrefix(path.Clean(m.Target), path.Clean(outer.Target)))
		_ = root.Close()
		if err != nil || !fixed {
			return true, err
		}
	}
	return false, nil
}

// below reports whether a path lies below dir.
func below(p, dir string) bool { return strings.HasPrefix(path.Clean(p), path.Clean(dir)+"/") }
