package sftp

import (
	"encoding/binary"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// home returns the home of a user, or of the client's user if the name is empty: the image
// may not know that one.
func home(name string) (string, error) {
	if name == "" {
		return os.UserHomeDir()
	}
	u, err := user.Lookup(name)
	if err != nil {
		return "", unix.ENOENT
	}
	return u.HomeDir, nil
}

// expand replaces ~ or ~USER at the start of a path by a home.
func expand(path string) (string, error) {
	if !strings.HasPrefix(path, "~") {
		return path, nil
	}
	name, rest, _ := strings.Cut(path[1:], "/")
	dir, err := home(name)
	return filepath.Join(dir, rest), err
}

// homeDirectory answers with the home of a user.
func homeDirectory(id uint32, name string) []byte {
	dir, err := home(name)
	if err != nil {
		return status(id, statusFailure)
	}
	return oneName(id, dir)
}

// namesByID answers with the names of users and groups whose numbers are packed in uids and
// gids. The name of an unknown number is empty.
func namesByID(id uint32, uids, gids []byte) []byte {
	b := appendU32(newPacket(typeExtendedReply), id)
	b = appendNames(b, uids, func(number string) string {
		if u, err := user.LookupId(number); err == nil {
			return u.Username
		}
		return ""
	})
	b = appendNames(b, gids, func(number string) string {
		if g, err := user.LookupGroupId(number); err == nil {
			return g.Name
		}
		return ""
	})
	if len(b) > 4+maxPacket {
		return status(id, statusFailure)
	}
	return finish(b)
}

// appendNames appends one field that has the names of all ids. Each id is looked up once.
func appendNames(b, ids []byte, lookup func(string) string) []byte {
	known := map[uint32]string{}
	start := len(b)
	b = appendU32(b, 0)
	for ; len(ids) > 0 && len(b) <= 4+maxPacket; ids = ids[4:] {
		number := binary.BigEndian.Uint32(ids)
		name, ok := known[number]
		if !ok {
			name = lookup(strconv.FormatUint(uint64(number), 10))
			known[number] = name
		}
		b = appendStr(b, name)
	}
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}
