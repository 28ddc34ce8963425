package rootfs

import (
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The most that is copied into a home: more is not a skeleton of one.
const (
	maxSkelFiles = 1000
	maxSkelBytes = 16 << 20
	maxSkelDepth = 16
)

var errSkelTooLarge = errors.New("the skeleton of homes has more than 1000 files, or 16 MiB")

// NewHome makes a home of the host at a path, with a copy of what only root can change in
// the directory skel. It does nothing if there is something at the path. Directories above it
// that are missing are made, for root. Only root may be able to change those that exist.
func (r *Root) NewHome(name, skel string, uid, gid uint32) error {
	parent, base := path.Split(path.Clean(name))
	w, err := r.walk(parent, 0)
	if err != nil {
		return refused(parent, err.Error())
	}
	defer func() { _ = unix.Close(w.fd) }()
	if err := r.makeMissing(parent, &w, 0, r.rootUID, 0); err != nil {
		return err
	}
	if w.rest != "" || !w.trusted || !r.belongsToRoot(&w.st) {
		return refused(name, "others than root can change a directory above it")
	}
	return r.fillNew(w.fd, base, skel, 0o700, uid, gid)
}

// fillNew makes a directory of a user in one that only root can change, with a copy of what is
// in skel. It is there whole or not at all.
func (r *Root) fillNew(parent int, base, skel string, mode uint32, uid, gid uint32) error {
	fresh := "." + base + ".dockersh"
	at := "/proc/self/fd/" + strconv.Itoa(parent) + "/" + fresh
	for end := time.Now().Add(2 * abandonedAfter); ; {
		err := unix.Mkdirat(parent, fresh, 0o700)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EEXIST) {
			return err
		}
		if time.Now().After(end) { // its user keeps it young
			return refused(fresh, err.Error())
		}
		if there, err := r.awaitOther(parent, base, fresh, uid); there || err != nil {
			return err
		}
	}
	fd, err := unix.Openat(parent, fresh, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// Until it has its owner, nobody else can enter it.
	c := skelCopy{root: r, uid: int(uid), gid: int(gid)}
	err = c.copyFrom(skel, fd)
	if skel != "" && errors.Is(err, unix.EPERM) {
		_ = os.RemoveAll(at) // or it would be waited for
		return r.fillNew(parent, base, "", mode, uid, gid)
	}
	if err == nil {
		err = unix.Fchmod(fd, mode)
	}
	if err == nil {
		err = unix.Renameat2(parent, fresh, parent, base, unix.RENAME_NOREPLACE)
	}
	if err != nil {
		_ = os.RemoveAll(at)
		if errors.Is(err, unix.EEXIST) {
			return nil // somebody was faster
		}
	}
	return err
}

// abandonedAfter is how long nothing changes in a directory that is being made, before whoever
// made it is taken for killed.
const abandonedAfter = 10 * time.Second

// awaitOther waits for another login that makes the same directory, and reports whether it is
// there. What an interrupted one left is removed, but nothing of another user's.
func (r *Root) awaitOther(parent int, base, fresh string, uid uint32) (there bool, err error) {
	var st unix.Stat_t
	if unix.Fstatat(parent, base, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
		return true, nil
	}
	if err := unix.Fstatat(parent, fresh, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if errors.Is(err, unix.ENOENT) {
			err = nil
		}
		return false, err
	}
	if st.Uid != r.rootUID && st.Uid != uid {
		return false, refused(fresh, "it belongs to another user")
	}
	if time.Since(time.Unix(st.Ctim.Unix())) < abandonedAfter {
		time.Sleep(50 * time.Millisecond)
		return false, nil
	}
	return false, os.RemoveAll("/proc/self/fd/" + strconv.Itoa(parent) + "/" + fresh)
}

// skelCopy copies a skeleton of a home.
type skelCopy struct {
	root         *Root
	uid, gid     int
	files, bytes int64
}

// copyFrom copies what is in the directory skel, and makes the user the owner of the copy and
// of the directory to. Without skel the home is empty, and stays owned by root where the right
// to change that is missing, as for a root process in a container under no-new-privileges.
func (c *skelCopy) copyFrom(skel string, to int) error {
	if skel == "" {
		if err := unix.Fchown(to, c.uid, c.gid); !errors.Is(err, unix.EPERM) {
			return err
		}
		return nil
	}
	w, err := c.root.walk(skel, 0)
	if err != nil {
		return refused(skel, err.Error())
	}
	defer func() { _ = unix.Close(w.fd) }()
	if w.rest == "" && w.trusted && c.root.belongsToRoot(&w.st) && w.st.Mode&unix.S_IFMT == unix.S_IFDIR {
		if err := c.dir(w.fd, to, 0); err != nil {
			return err
		}
	}
	return unix.Fchown(to, c.uid, c.gid)
}

// dir copies what is in a directory that is open with O_PATH.
func (c *skelCopy) dir(from, to, depth int) error {
	if depth > maxSkelDepth {
		return errSkelTooLarge
	}
	names, err := namesIn(from, maxSkelFiles+1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if c.files++; c.files > maxSkelFiles {
			return errSkelTooLarge
		}
		if err := c.one(from, to, name, depth); err != nil {
			return err
		}
	}
	return nil
}

// one copies a file, link or directory; anything else, and what others than root can change,
// is left out.
func (c *skelCopy) one(from, to int, name string, depth int) error {
	fd, err := openName(from, name, unix.RESOLVE_NO_XDEV)
	if err != nil {
		return nil // a mount, or gone
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if target, isLink, err := readLink(fd); err != nil || isLink {
		if err == nil {
			err = unix.Symlinkat(target, to, name)
		}
		if err == nil {
			err = unix.Fchownat(to, name, c.uid, c.gid, unix.AT_SYMLINK_NOFOLLOW)
		}
		return err
	}
	if !c.root.belongsToRoot(&st) {
		return nil
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return c.file(fd, to, name, st.Mode&0o777)
	case unix.S_IFDIR:
		return c.subdir(fd, to, name, st.Mode&0o777, depth)
	}
	return nil
}

func (c *skelCopy) subdir(from, to int, name string, mode uint32, depth int) error {
	if err := unix.Mkdirat(to, name, 0o700); err != nil {
		return err
	}
	fd, err := unix.Openat(to, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := c.dir(from, fd, depth+1); err != nil {
		return err
	}
	return errors.Join(unix.Fchown(fd, c.uid, c.gid), unix.Fchmod(fd, mode))
}

func (c *skelCopy) file(from, to int, name string, mode uint32) error {
	// A regular file, which cannot change into another kind. Its owner may have a lease on it,
	// and open(2) would wait for that (fcntl(2)).
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(from), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if err != nil {
		return err
	}
	in := os.NewFile(uintptr(fd), name)
	defer in.Close()
	fd, err = unix.Openat(to, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	out := os.NewFile(uintptr(fd), name)
	defer out.Close()
	n, err := io.Copy(out, io.LimitReader(in, maxSkelBytes+1))
	if c.bytes += n; c.bytes > maxSkelBytes {
		return errSkelTooLarge
	}
	if err != nil {
		return err
	}
	return errors.Join(unix.Fchown(fd, c.uid, c.gid), unix.Fchmod(fd, mode))
}
