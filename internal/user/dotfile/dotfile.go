// Package dotfile reads files that are in the user's own hands: ~/.dockersh, and
// what sshd left for him.
package dotfile

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// maxSize is the largest ~/.dockersh in bytes (config.MaxUserFile, without a link to it).
const maxSize = 64 << 10

const tooLarge = "is larger than 64 KiB"

// Read gives the bytes of ~/.dockersh, or why it cannot be read. Neither
// means that there is none. It must run with the user's own rights, and a FIFO, a
// device or a link that the user put there must not hold or mislead us.
func Read(home string, uid int) (data []byte, problem string) {
	if home == "" {
		return nil, ""
	}
	return read(home+"/.dockersh", uid, maxSize)
}

// authInfo begins the name of the file in which sshd tells how a user
// authenticated (ExposeAuthInfo in sshd_config(5), session.c of OpenSSH).
const authInfo = "/tmp/sshauth."

// maxAuthInfo is the largest of them in bytes (wire.MaxAuthInfo, without a link to it).
const maxAuthInfo = 16 << 10

// AuthInfo gives the bytes of the file that SSH_USER_AUTH names; none if it is not
// one as sshd makes them. As Read it must run with the user's own rights.
func AuthInfo(path string, uid int) []byte {
	rest, ok := strings.CutPrefix(path, authInfo)
	if !ok || rest == "" || strings.IndexByte(rest, '/') >= 0 {
		return nil
	}
	data, _ := read(path, uid, maxAuthInfo) // whoever needs it says that it is missing
	return data
}

func read(path string, uid int, most int) (data []byte, problem string) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
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
	return nil, tooLarge // it grew meanwhile
}
