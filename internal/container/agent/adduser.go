package agent

import (
	"errors"
	"strconv"
	"strings"

	"github.com/dockersh/dockersh/internal/host/rootfs"
)

// addUser makes a user known in a running container on another host, which no broker can
// look into: the engine's exec runs it, as the container's root.
func addUser(passwd, group, home string) error {
	f := strings.Split(passwd, ":")
	if len(f) < 4 {
		return errors.New("not a line of passwd: " + passwd)
	}
	uid, err := strconv.ParseUint(f[2], 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(f[3], 10, 32)
	if err != nil {
		return err
	}
	root, err := rootfs.Open("/", 0)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.AddUser(rootfs.User{Passwd: passwd, Group: group, Home: home, UID: uint32(uid), GID: uint32(gid)})
}
