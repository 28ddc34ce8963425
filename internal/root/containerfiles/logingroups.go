package containerfiles

import (
	"slices"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/passwd"
)

// WriteLoginGroups writes the groups of the login into the container's passwd and group. The
// root directory must be seen.
func (w Writer) WriteLoginGroups() error {
	user := w.User
	user.Groups = slices.DeleteFunc(slices.Clone(user.Groups), func(g account.Group) bool {
		_, ok := w.Users.Groups.Out(g.GID)
		return !ok
	})
	users, err := w.Root.ReadFixed("/etc/passwd")
	if err != nil {
		return err
	}
	groups, err := w.Root.ReadFixed("/etc/group")
	if err != nil {
		return err
	}
	newUsers, newGroups, err := passwd.SetLoginGroups([]byte(users), []byte(groups), user)
	if err != nil {
		return err
	}
	for _, f := range []struct{ name, old, now string }{
		{"/etc/group", groups, string(newGroups)},
		{"/etc/passwd", users, string(newUsers)},
	} {
		if f.now != f.old {
			if err := w.replace(f.name, []byte(f.now)); err != nil {
				return err
			}
		}
	}
	return nil
}
