package rootfs

import "golang.org/x/sys/unix"

// maxHandover is how many files of a user of the image become another user's.
const maxHandover = 10000

// handover makes the files of a user of the image those of another one who has the name.
type handover struct {
	from     uint32
	uid, gid int
	files    int
}

// dir hands over a directory that is open with O_PATH, and what is in it, but for what belongs to
// others and what is mounted there. Links are not followed.
func (h *handover) dir(fd, depth int) error {
	if err := unix.Fchownat(fd, "", h.uid, h.gid, unix.AT_EMPTY_PATH); err != nil || depth > maxSkelDepth {
		return err
	}
	names, err := namesIn(fd, maxHandover)
	if err != nil {
		return err
	}
	for _, name := range names {
		if h.files++; h.files > maxHandover {
			return nil
		}
		if err := h.one(fd, name, depth); err != nil {
			return err
		}
	}
	return nil
}

func (h *handover) one(at int, name string, depth int) error {
	fd, err := openName(at, name, unix.RESOLVE_NO_XDEV)
	if err != nil {
		return nil // a mount, or gone
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Uid != h.from {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return h.dir(fd, depth+1)
	}
	return unix.Fchownat(fd, "", h.uid, h.gid, unix.AT_EMPTY_PATH)
}
