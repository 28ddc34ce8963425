package containerfiles

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/dockersh/dockersh/internal/engine"
	"github.com/dockersh/dockersh/internal/host/passwd"
	"github.com/dockersh/dockersh/internal/root/images"
)

// accountFiles returns the files that make the container know its user: private copies,
// not mounts, because the host's files change under a mount and useradd cannot replace a
// mount point. An image that knows the user already, such as one of dockershctl commit,
// stays as it is, unless it is foreign. Engines look even numbers up as names, in the
// group file of the container, at each start and exec: in a foreign image its directory
// and it may belong to the user, who would add a line such as "1001:x:0:".
func accountFiles(image images.Accounts, user passwd.Identity, makeHome, foreign bool) ([]engine.File, error) {
	users, groups, err := passwd.Merge(image.Passwd, image.Group, image.Shadowed, user)
	if err != nil {
		return nil, err
	}
	var files []engine.File
	if foreign {
		files = append(files, engine.File{Path: "/etc", Mode: 0o755, Dir: true, Reset: true})
	}
	for _, f := range []struct {
		path          string
		image, merged []byte
	}{{"/etc/passwd", image.Passwd, users}, {"/etc/group", image.Group, groups}} {
		if foreign || !bytes.Equal(f.image, f.merged) {
			files = append(files, engine.File{Path: f.path, Mode: 0o644, Data: f.merged})
		}
	}
	if makeHome && user.UID != 0 && homeIsFree(image, user) {
		home := engine.File{Path: user.Home, Mode: 0o755, UID: user.UID, GID: user.GID, Dir: true}
		if !foreign {
			home.FromUID = formerUID(image, user)
		}
		files = append(files, home)
	}
	return files, nil
}

// homeIsFree reports whether the home may be made for the user: it is not a directory of
// the system, nor of another user of the image. One that the image has stays as it is.
func homeIsFree(image images.Accounts, user passwd.Identity) bool {
	home := filepath.Clean(user.Home)
	if home == "/" || !filepath.IsAbs(home) || strings.Count(home, "/") < 2 {
		return false
	}
	for _, e := range passwd.Users(image.Passwd) {
		if filepath.Clean(e.Home) == home {
			return e.Name == user.Name
		}
	}
	return true
}

// formerUID returns the number that a user of the image has whose name and home are those of a
// user with another one; 0: there is none.
func formerUID(image images.Accounts, user passwd.Identity) uint32 {
	for _, e := range passwd.Users(image.Passwd) {
		if e.Name == user.Name {
			if e.UID != user.UID && filepath.Clean(e.Home) == filepath.Clean(user.Home) {
				return e.UID
			}
			return 0
		}
	}
	return 0
}
