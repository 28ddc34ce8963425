package rootfs

import (
	"path"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// ReplaceFile writes a file of the container's root with mode 0644, in place of what has
// its name, where nobody else can change the names in its directory. Nothing in a mount is
// changed. Directories above it that are missing are made. rootGID is the group of the
// container's root, as the caller's user namespace numbers it.
func (r *Root) ReplaceFile(name string, data []byte, rootGID uint32) error {
	w, err := r.walk(path.Dir(name), unix.RESOLVE_NO_XDEV)
	if err != nil {
		return refused(name, err.Error())
	}
	defer func() { _ = unix.Close(w.fd) }()
	if err := r.makeMissing(name, &w, rootGID, r.rootUID, rootGID); err != nil {
		return err
	}
	if w.rest != "" || w.st.Mode&unix.S_IFMT != unix.S_IFDIR || !r.belongsToRoot(&w.st) {
		return refused(name, "it is not in a directory that only root can change")
	}
	base := path.Base(name)
	fresh := "." + base + ".dockersh"
	_ = unix.Unlinkat(w.fd, fresh, 0) // left by an interrupted call
	fd, err := unix.Openat(w.fd, fresh, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return refused(name, err.Error())
	}
	err = unix.Fchown(fd, int(r.rootUID), int(rootGID))
	for rest := data; err == nil && len(rest) > 0; {
		var n int
		n, err = sys.Write(fd, rest)
		rest = rest[max(n, 0):]
	}
	if closeErr := unix.Close(fd); err == nil {
		err = closeErr
	}
	if err == nil {
		err = unix.Renameat(w.fd, fresh, w.fd, base)
	}
	if err != nil {
		_ = unix.Unlinkat(w.fd, fresh, 0)
		return refused(name, err.Error())
	}
	return nil
}
