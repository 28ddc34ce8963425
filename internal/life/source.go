package life

import (
	"errors"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"dockersh/internal/usererr"
)

// Mountable refuses a bind source that somebody but root could swap: the engine
// follows its path again, as root, whenever the container starts, so that a
// symbolic link put there meanwhile would give any directory of the host
// (CVE-2025-31133 and others are of this class). What counts is who can change
// the names on the way; the directory itself may be the user's.
func Mountable(source string) error {
	if err := walk("/", source, 0); err != nil {
		return usererr.New(usererr.Settings, source+" is not mounted: "+err.Error(),
			"ask the administrator: every directory above it must be root's alone", err)
	}
	return nil
}

// maxLinks is the kernel's own limit (path_resolution(7)).
const maxLinks = 40

var errLinks = errors.New("too many symbolic links")

// walk looks at each step from dir along path.
func walk(dir, path string, links int) error {
	rest := strings.Trim(filepath.Clean("/"+path), "/")
	for rest != "" {
		if err := rootsAlone(dir); err != nil {
			return err
		}
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		next := filepath.Join(dir, name)
		var st unix.Stat_t
		if err := unix.Lstat(next, &st); err != nil {
			return errors.New(next + ": " + err.Error())
		}
		if st.Mode&unix.S_IFMT != unix.S_IFLNK {
			dir = next
			continue
		}
		// Nobody but root put it there. Go on from where it leads.
		if links++; links > maxLinks {
			return errLinks
		}
		to := make([]byte, unix.PathMax)
		n, err := unix.Readlink(next, to)
		if err != nil {
			return errors.New(next + ": " + err.Error())
		}
		target := string(to[:n])
		if !filepath.IsAbs(target) {
			target = filepath.Join(dir, target)
		}
		return walk("/", filepath.Join(target, rest), links)
	}
	return nil
}

// rootsAlone tells whether only root can change the names in a directory. A
// sticky one does not do: anyone may make a name there that does not exist yet.
func rootsAlone(dir string) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return errors.New(dir + ": " + err.Error())
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || st.Uid != 0 || st.Mode&0o022 != 0 {
		return errors.New(dir + " can be changed by others than root")
	}
	return nil
}
