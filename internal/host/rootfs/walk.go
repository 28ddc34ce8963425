package rootfs

import (
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxLinks is the limit of the kernel (path_resolution(7)).
const maxLinks = 40

// walked is how far a walk came.
type walked struct {
	fd   int // O_PATH, of the last file or directory on the way that exists
	st   unix.Stat_t
	rest string // the names that are missing; empty: fd is the end of the path

	// trusted: nobody but the container's root can change the names on the way.
	trusted bool
}

// walk goes along a path, as far as it exists. Links are followed, inside of the root,
// where only the container's root can have put them; any other link is unix.ELOOP.
// resolve is 0, or unix.RESOLVE_NO_XDEV for an error unix.EXDEV at a mount.
func (r *Root) walk(name string, resolve uint64) (w walked, err error) {
	at := "" // without links
	rest := relative(name)
	fd, err := openBelow(r.fd, ".", 0)
	if err != nil {
		return w, err
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	w.trusted = true
	for links := 0; ; {
		w.fd, w.rest = fd, rest
		if err := unix.Fstat(fd, &w.st); err != nil {
			return w, err
		}
		if rest == "" || rest == "." {
			w.rest = ""
			return w, nil
		}
		w.trusted = w.trusted && r.belongsToRoot(&w.st)
		first, after, _ := strings.Cut(rest, "/")
		next, err := openName(fd, first, resolve)
		if errors.Is(err, unix.ENOENT) {
			return w, nil
		}
		if err != nil {
			return w, err
		}
		target, isLink, err := readLink(next)
		if err != nil || !isLink {
			if err != nil {
				_ = unix.Close(next)
				return w, err
			}
			_ = unix.Close(fd)
			fd, at, rest = next, path.Join(at, first), after
			continue
		}
		_ = unix.Close(next)
		if links++; !w.trusted || links > maxLinks {
			return w, unix.ELOOP
		}
		// From the root again: nobody but the container's root can change the way.
		if !path.IsAbs(target) {
			target = path.Join("/", at, target)
		}
		at, rest = "", relative(path.Join(target, after))
		again, err := openBelow(r.fd, ".", 0)
		if err != nil {
			return w, err
		}
		_ = unix.Close(fd)
		fd = again
	}
}

// readLink returns where a symbolic link leads that is open with O_PATH.
func readLink(fd int) (target string, isLink bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFLNK {
		return "", false, err
	}
	b := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", b)
	return string(b[:max(n, 0)]), true, err
}

// openName opens one name in a directory with O_PATH, without following a link. resolve is as
// for walk.
func openName(dir int, name string, resolve uint64) (int, error) {
	return unix.Openat2(dir, name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: resolve | unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	})
}

// namesIn returns names in a directory that is open with O_PATH, at most that many.
func namesIn(fd, most int) ([]string, error) {
	d, err := os.Open("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(most)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
}

// belongsToRoot reports whether nobody but the container's root can change a file, or the
// names in a directory. With the sticky bit anyone can still make a name.
func (r *Root) belongsToRoot(st *unix.Stat_t) bool {
	return r.image || st.Uid == r.rootUID && st.Mode&0o022 == 0
}
