// Package rootfs looks at the file system of a container from outside, and adds users to its
// passwd and group. All of it may belong to somebody hostile, and change at any moment: paths
// are resolved below the container's root (openat2(2)), and a link counts only where
// nobody but the container's root can have put it.
package rootfs

import (
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Root is the root directory of a container, held open.
type Root struct {
	fd      int
	rootUID uint32 // uid of the container's root, as the caller's user namespace numbers it
	image   bool   // see TrustImage
}

// TrustImage makes everything outside of mounts count as if nobody but the container's
// root could change it: the caller vouches for the image, and for what has run in the
// container.
func (r *Root) TrustImage() { r.image = true }

// ErrKernel means that the kernel lacks what this package needs.
var ErrKernel = errors.New("looking into a container needs Linux 5.8 or newer")

// Open opens the root directory at a path that nobody but root can change, such as
// /proc/PID/root. rootUID is that of the container's root.
func Open(dir string, rootUID uint32) (*Root, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &Root{fd: fd, rootUID: rootUID}, nil
}

// SetRootUID sets the uid of the container's root, where it is known only now.
func (r *Root) SetRootUID(uid uint32) { r.rootUID = uid }

// Close closes it. There may be none.
func (r *Root) Close() error {
	if r == nil {
		return nil
	}
	return unix.Close(r.fd)
}

// Has reports whether name, reached through no link at all, is the very file or directory
// that the caller calls own.
func (r *Root) Has(name, own string) (bool, error) {
	fd, err := openBelow(r.fd, relative(name), unix.RESOLVE_IN_ROOT)
	if isElsewhere(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	var inside, outside unix.Stat_t
	if err := unix.Fstat(fd, &inside); err != nil {
		return false, err
	}
	if err := unix.Stat(own, &outside); err != nil {
		return false, errors.New(own + ": " + err.Error())
	}
	return inside.Dev == outside.Dev && inside.Ino == outside.Ino, nil
}

// IsInPlace reports whether something is mounted at name, so that no user can have led the
// container's runtime elsewhere by a link. Where nobody but the container's root can change
// the names on the way, that is taken for granted.
func (r *Root) IsInPlace(name string) (bool, error) {
	w, err := r.walk(name, 0)
	if isElsewhere(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(w.fd)
	if w.trusted || w.rest != "" {
		return w.trusted, nil
	}
	var st unix.Statx_t
	if err := unix.Statx(w.fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &st); err != nil {
		return false, err
	}
	if st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT == 0 {
		return false, ErrKernel
	}
	return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
}

// IsFixed reports whether nobody but the owner of the root can change the names on the way
// to a path, as far as it exists.
func (r *Root) IsFixed(name string) (bool, error) {
	w, err := r.walk(name, 0)
	if isElsewhere(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return w.trusted && (w.rest == "" || r.belongsToRoot(&w.st)), unix.Close(w.fd)
}

// OnlyRootChanges is IsFixed for the names on the way and for what the path leads to.
func (r *Root) OnlyRootChanges(name string) (bool, error) {
	w, err := r.walk(name, 0)
	if isElsewhere(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return w.trusted && r.belongsToRoot(&w.st), unix.Close(w.fd)
}

// isElsewhere reports whether an error means that a path does not lead where it seems to:
// something on it is missing, a link, or not a directory.
func isElsewhere(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EXDEV)
}

// openBelow opens a path below a directory, without following a link.
func openBelow(dir int, name string, resolve uint64) (int, error) {
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: resolve | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	})
	if errors.Is(err, unix.ENOSYS) {
		err = ErrKernel
	}
	return fd, err
}

// relative returns a path as it is below the root.
func relative(name string) string {
	if rel := strings.Trim(path.Clean("/"+name), "/"); rel != "" {
		return rel
	}
	return "."
}
