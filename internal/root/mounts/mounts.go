// Package mounts decides whether what is mounted into a container can be led elsewhere: before it starts,
// by whoever can change the names on the way, and afterwards, by a look at its root.
package mounts

import (
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/rootfs"
	"github.com/dockersh/dockersh/internal/host/trustedpath"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
)

// CheckMountSource refuses the source of a bind mount that a user could swap: the engine
// follows the path again, as root, whenever the container starts, so that a symbolic
// link put there meanwhile would lead to any directory of the host (CVE-2025-31133 and
// others are of this class). What counts is who can change the names on the way; the
// directory itself may be the user's.
func CheckMountSource(source string) error {
	err := trustedpath.Way(source)
	if errors.Is(err, unix.ENOENT) {
		return usererr.New(usererr.Settings, source+" is not mounted: it does not exist",
			"ask the administrator to run: mkdir "+source+" (and to give it to its user, or, for a home, to set makehome)", err)
	}
	if err != nil {
		return usererr.New(usererr.Settings, source+" is not mounted: "+err.Error(),
			"ask the administrator to run: namei -l "+source+" (every directory above it must be writable by root alone)", nil)
	}
	return nil
}

// CheckMountTargets refuses a container that is about to be started, and in which programs
// may gain rights, if a mount lies where users can make a link: a program would find files
// of theirs in place of the system's, before anything can be looked at. home is that of the
// container's user. On a host that is not local what is mounted cannot be known.
func CheckMountTargets(c *engine.Container, home string, local bool) error {
	for _, m := range c.Mounts {
		if engine.Within(m.Target, engine.OwnDir) {
			continue
		}
		movable, err := isMovable(m, c.Mounts, home, local)
		if err != nil {
			return err
		}
		if !movable {
			continue
		}
		hint := "ask the administrator to run: dockershctl check (and to mount it at a place such as /mnt/" + path.Base(m.Target) +
			", or to set nonewprivileges)"
		if c.MayGain {
			hint += "; then: dockershctl reset " + c.Name
		}
		return usererr.New(usererr.Settings,
			"the mount at "+m.Target+" lies where users can make a link, and programs in the container may gain rights", hint, nil)
	}
	return nil
}

// isMovable reports whether users can change a name on the way to a mount.
func isMovable(m engine.Mount, all []engine.Mount, home string, local bool) (bool, error) {
	at, home := path.Clean(m.Target), path.Clean(home)
	if home != "/" && at != home && engine.Within(at, home) || config.BelowTmp(at) {
		return true, nil // a home at / is not the user's
	}
	for _, outer := range all {
		to := path.Clean(outer.Target)
		if at == to || !engine.Within(at, to) {
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
		fixed, err := root.IsFixed(strings.TrimPrefix(at, to))
		_ = root.Close()
		if err != nil || !fixed {
			return true, err
		}
	}
	return false, nil
}
