package rootfs

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ResetDir makes the container's root the owner of a directory and of all above it, from
// the outermost on, and lets nobody else change the names in them: what is found after
// that stays. It follows no link and enters no mount. Where that is so already, nothing is
// changed. rootGID is the group of the container's root, as the caller's user namespace
// numbers it.
func (r *Root) ResetDir(name string, rootGID uint32) error {
	fd, err := openBelow(r.fd, ".", 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	for rest := relative(name); ; {
		if err := r.resetOne(fd, rootGID); err != nil {
			return refused(name, err.Error())
		}
		if rest == "" || rest == "." {
			return nil
		}
		var first string
		first, rest, _ = strings.Cut(rest, "/")
		next, err := openBelow(fd, first, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_XDEV)
		if errors.Is(err, unix.ENOENT) {
			next, err = makeDir(fd, first, r.rootUID, rootGID)
		}
		if err != nil {
			return refused(name, err.Error())
		}
		_ = unix.Close(fd)
		fd = next
	}
}

// resetOne is ResetDir for an open directory.
func (r *Root) resetOne(fd int, rootGID uint32) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return unix.ENOTDIR
	case r.belongsToRoot(&st):
		return nil
	}
	if err := unix.Fchownat(fd, "", int(r.rootUID), int(rootGID), unix.AT_EMPTY_PATH); err != nil {
		return err
	}
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), 0o755) // a descriptor of O_PATH takes no fchmod
}
