package lifecycle

import (
	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/root/state"
	"github.com/dockersh/dockersh/internal/rules/policy"
)

// A container keeps the directories of the host that were there when it was started. A
// home that is mounted again (autofs, pam_mount), or made again for another account, is
// not what the container has: what is written inside is not in the home.

// RecordSources writes what a start of the container mounts. It is called before the
// start, so that a directory that is replaced meanwhile shows as replaced at worst. The
// lock is held.
func RecordSources(c state.ContainerDir, found *engine.Container) error {
	home, err := policy.ParseHome(found.Labels[engine.LabelHome])
	if err != nil {
		return err
	}
	return c.LastStart().SetSources(statSources(c, found, home))
}

// statSources returns the directories of the host that a start of the container mounts, as
// they are now. Files are left out: editors replace them all the time. So are the helpers,
// which an upgrade may replace, and temporary directories: under systemd the broker has
// its own.
func statSources(c state.ContainerDir, found *engine.Container, home policy.Home) (all []state.MountSource) {
	for _, path := range found.Binds {
		switch {
		case path == c.Mounted(), path == paths.Helpers(), path == "/tmp", path == "/var/tmp":
			continue
		case path == c.Home():
			path = home.From
		}
		if s, isDir, err := stat(path); err == nil && isDir {
			all = append(all, s)
		}
	}
	return all
}

func stat(path string) (s state.MountSource, isDir bool, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return s, false, err
	}
	return state.MountSource{Path: path, Dev: st.Dev, Ino: st.Ino}, st.Mode&unix.S_IFMT == unix.S_IFDIR, nil
}

// FindReplaced returns the path of a directory that is mounted into the container, and is
// another one by now on the host; empty if there is none. A directory that is missing for
// the moment was not replaced. It may hang (wait.Abandonable).
func FindReplaced(c state.ContainerDir) string {
	for _, was := range c.LastStart().Sources() {
		if now, _, err := stat(was.Path); err == nil && now != was {
			return was.Path
		}
	}
	return ""
}
