package rootfs

import (
	"errors"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

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
	d, err := os.Open("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return err
	}
	defer d.Close()
	names, err := d.Readdirnames(maxHandover)
	if err != nil && !errors.Is(err, io.EOF) {
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
	fd, err := unix.Openat2(at, name, &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS,
	})
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
