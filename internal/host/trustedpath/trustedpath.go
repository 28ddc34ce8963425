// Package trustedpath says which paths of the host only root can change. Whoever follows
// a path with root's rights asks it first.
package trustedpath

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is the kernel's own limit (path_resolution(7)).
const maxLinks = 40

var errLinks = errors.New("too many symbolic links")

// Lead tells whether nobody but root can change a name on the way to path, or where
// a symbolic link on it leads. What is at its end may be anybody's.
func Lead(path string) error { return walk("/", path, 0) }

// walk looks at each step from dir along path.
func walk(dir, path string, links int) error {
	rest := strings.Trim(filepath.Clean("/"+path), "/")
	for rest != "" {
		if err := alone(dir); err != nil {
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

// alone tells whether only root can change the names in a directory. A
// sticky one does not do: anyone may make a name there that does not exist yet.
func alone(dir string) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return errors.New(dir + ": " + err.Error())
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || st.Uid != 0 || st.Mode&0o022 != 0 {
		return errors.New(dir + " can be changed by others than root")
	}
	return nil
}

// Make makes a directory, and those above it, where they are missing, for root
// alone. It refuses one that somebody else can change, or lead elsewhere.
func Make(dir string) error {
	if _, err := Ready(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

// Ready tells what Make would find in its way, and changes nothing. It gives the
// nearest directory that is there, without links.
func Ready(dir string) (at string, err error) {
	there := dir
	for there != "/" {
		if _, err := os.Lstat(there); err == nil {
			break
		}
		there = filepath.Dir(there)
	}
	if err := Lead(there); err != nil {
		return "", err
	}
	// From here on only root can change what it is.
	if at, err = filepath.EvalSymlinks(there); err != nil {
		return "", err
	}
	return at, alone(at)
}
