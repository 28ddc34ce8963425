// Package dotfile reads files that the user can change: ~/.dockersh, the one in which sshd
// describes how the user authenticated, and the one in which it puts cookies of X11.
package dotfile

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/proto/wire"
)

const (
	tooLarge      = "is larger than 64 KiB"
	maxXauthority = 64 << 10
	userFile      = "/.dockersh" // below the home
	resolveCached = 0x20         // RESOLVE_CACHED of linux/openat2.h
)

// Read returns the bytes of ~/.dockersh, or why it cannot be read; neither if there is no
// such file. It must run with the user's rights. A FIFO, a device or a link in the place
// of the file neither blocks nor misleads it.
func Read(home string, uid int) (data []byte, problem string) {
	if home == "" {
		return nil, ""
	}
	return read(home+userFile, uid, wire.MaxUserFile)
}

// IsKnownAbsent reports whether the kernel knows without a look at any disk or server that there
// is no ~/.dockersh (RESOLVE_CACHED in openat2(2), Linux 5.12). It never blocks.
func IsKnownAbsent(home string) bool {
	if home == "" {
		return true
	}
	fd, err := unix.Openat2(unix.AT_FDCWD, home+userFile, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: resolveCached,
	})
	if err == nil {
		_ = unix.Close(fd)
	}
	return isAbsent(err)
}

// isAbsent reports whether an error of open(2) means that there is no such file.
func isAbsent(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) }

// authInfo is how the path begins of the file in which sshd describes how a user
// authenticated (ExposeAuthInfo in sshd_config(5), session.c of OpenSSH).
const authInfo = "/tmp/sshauth."

// AuthInfo returns the bytes of the file that SSH_USER_AUTH names; none if it is not like
// those that sshd makes. Like Read, it must run with the user's rights.
func AuthInfo(path string, uid int) []byte {
	rest, ok := strings.CutPrefix(path, authInfo)
	if !ok || rest == "" || strings.IndexByte(rest, '/') >= 0 {
		return nil
	}
	data, _ := read(path, uid, wire.MaxAuthInfo) // the broker reports it missing where it is needed
	return data
}

// Xauthority returns the bytes of an Xauthority file; none if there is no such file. Like Read,
// it must run with the user's rights.
func Xauthority(path string, uid int) []byte {
	data, _ := read(path, uid, maxXauthority)
	return data
}

func read(path string, uid int, most int) (data []byte, problem string) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	switch {
	case err == nil:
	case isAbsent(err):
		return nil, ""
	case errors.Is(err, unix.ELOOP):
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
	case st.Size > int64(most):
		return nil, tooLarge
	}
	data = make([]byte, most+1)
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
	return nil, tooLarge // it has grown
}
