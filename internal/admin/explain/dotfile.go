package explain

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/proto/wire"
)

// readDotfile returns the bytes of .dockersh in a directory, or why it cannot be read; neither if
// there is no such file. It must run with the user's rights, and reads what a front does
// (front/userfile.c). A FIFO, a device or a link in the place of the file neither blocks nor
// misleads it.
func readDotfile(home string, uid int) (data []byte, problem string) {
	const tooLarge = "is larger than 64 KiB"
	if home == "" {
		return nil, ""
	}
	fd, err := unix.Open(home+"/.dockersh", unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	switch {
	case err == nil:
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOTDIR):
		return nil, ""
	case errors.Is(err, unix.ELOOP):
		return nil, "is a symbolic link"
	default:
		return nil, "cannot be read: " + err.Error()
	}
	f := os.NewFile(uintptr(fd), "")
	defer f.Close()
	var st unix.Stat_t
	switch err := unix.Fstat(fd, &st); {
	case err != nil:
		return nil, "cannot be read: " + err.Error()
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, "is not a regular file"
	case st.Uid != uint32(uid):
		return nil, "belongs to another user"
	case st.Size > wire.MaxUserFile:
		return nil, tooLarge
	}
	data, err = io.ReadAll(io.LimitReader(f, wire.MaxUserFile+1))
	switch {
	case err != nil:
		return nil, "cannot be read: " + err.Error()
	case len(data) > wire.MaxUserFile:
		return nil, tooLarge // it has grown
	}
	return data, ""
}
