package handles

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// Attrs are attributes that a client sets. It names all or none of each pair.
type Attrs struct {
	HasSize, HasOwner, HasMode, HasTimes bool

	Size         uint64
	UID, GID     uint32
	Mode         uint32
	ATime, MTime uint32 // seconds since 1970
}

func (a *Attrs) times() []unix.Timespec {
	return []unix.Timespec{{Sec: int64(a.ATime)}, {Sec: int64(a.MTime)}}
}

// Set sets attributes of an open file. It sets those that it can, as OpenSSH does, and returns
// all errors.
func (t *Table) Set(handle string, a Attrs) error {
	fd := t.fd(handle)
	var errs []error
	if a.HasSize {
		errs = append(errs, unix.Ftruncate(fd, int64(a.Size)))
	}
	if a.HasMode {
		errs = append(errs, unix.Fchmod(fd, a.Mode))
	}
	if a.HasTimes {
		errs = append(errs, unix.UtimesNanoAt(unix.AT_FDCWD, pathOf(fd), a.times(), 0))
	}
	if a.HasOwner {
		errs = append(errs, unix.Fchown(fd, int(a.UID), int(a.GID)))
	}
	return errors.Join(errs...)
}

// SetLink sets attributes of what has this name, and of the link if it is one. A link has no
// size and, with Linux, no mode.
func SetLink(name string, a Attrs) error {
	if a.HasSize {
		return unix.EINVAL
	}
	var errs []error
	if a.HasMode {
		errs = append(errs, chmodNoFollow(name, a.Mode))
	}
	if a.HasTimes {
		errs = append(errs, unix.UtimesNanoAt(unix.AT_FDCWD, name, a.times(), unix.AT_SYMLINK_NOFOLLOW))
	}
	if a.HasOwner {
		errs = append(errs, unix.Lchown(name, int(a.UID), int(a.GID)))
	}
	return errors.Join(errs...)
}

// chmodNoFollow is chmod(2) for anything but a link: fchmodat2(2), which would do, is only in
// Linux 6.6 and newer.
func chmodNoFollow(name string, mode uint32) error {
	fd, err := retry(func() (int, error) { return unix.Open(name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0) })
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return unix.EOPNOTSUPP
	}
	return unix.Chmod(pathOf(fd), mode)
}

// pathOf returns a path that leads to an open file, wherever that is.
func pathOf(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
