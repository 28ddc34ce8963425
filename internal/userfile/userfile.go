// Package userfile reads ~/.dockersh, which is in the hands of whoever owns that
// home.
package userfile

import (
	"golang.org/x/sys/unix"

	"dockersh/internal/sys"
)

// maxSize is the largest ~/.dockersh in bytes (config.MaxUserFile, without a link to it).
const maxSize = 64 << 10

// Read gives the bytes of ~/.dockersh, or why it cannot be read. Neither
// means that there is none. It must run with the user's own rights, and a FIFO, a
// device or a link that the user put there must not hold or mislead us.
func Read(home string, uid int) (data []byte, problem string) {
	if home == "" {
		return nil, ""
	}
	fd, err := unix.Open(home+"/.dockersh", unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
	case unix.ENOENT, unix.ENOTDIR:
		return nil, ""
	case unix.ELOOP:
		return nil, "is a symbolic link"
	default:
		return nil, "cannot be read: " + err.Error()
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	switch err := unix.Fstat(fd, &st); {
	case err != nil:
		return nil, "cannot be read: " + err.Error()
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, "is not a regular file"
	case st.Uid != uint32(uid):
		return nil, "belongs to another user"
	case st.Size > maxSize:
		return nil, "is larger than 64 KiB"
	}
	data = make([]byte, maxSize+1)
	n := 0
	for n < len(data) {
		m, err := sys.Read(fd, data[n:])
		if err != nil {
			return nil, "cannot be read: " + err.Error()
		}
		if m == 0 {
			return data[:n], ""
		}
		n += m
	}
	return nil, "is larger than 64 KiB" // it grew meanwhile
}
