// Package trustedpath checks that only root can change a path of the host. Programs check
// a path before they follow it with root's rights.
package trustedpath

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is the limit of the kernel (path_resolution(7)).
const maxLinks = 40

var errLinks = errors.New("too many symbolic links")

// Way returns an error unless only root can change the names on the way to path, and where
// symbolic links on it lead. What is at the end may belong to anybody.
func Way(path string) error { return walk("/", path, 0) }

// walk checks each step from dir along path.
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
			return &missing{next, err}
		}
		if st.Mode&unix.S_IFMT != unix.S_IFLNK {
			dir = next
			continue
		}
		// Only root can have put the link there. Go on from where it leads.
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

// missing is the error of a path that cannot be followed to its end.
type missing struct {
	path string
	err  error
}

func (m *missing) Error() string { return m.path + ": " + m.err.Error() }
func (m *missing) Unwrap() error { return m.err }

// alone returns an error unless only root can change the names in a directory. The sticky
// bit is not enough: with it, anyone can still create a name that does not exist yet.
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

// Make makes a directory and those above it, where they are missing, for root alone. It
// returns an error if somebody else can change the directory or where its path leads.
func Make(dir string) error {
	if _, err := CanMake(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

// CanMake returns the error of Make without making anything. at is the nearest directory
// that exists, with links resolved.
func CanMake(dir string) (at string, err error) {
	there := dir
	for there != "/" {
		if _, err := os.Lstat(there); err == nil {
			break
		}
		there = filepath.Dir(there)
	}
	if err := Way(there); err != nil {
		return "", err
	}
	// Only root can change it from here on.
	if at, err = filepath.EvalSymlinks(there); err != nil {
		return "", err
	}
	return at, alone(at)
}
