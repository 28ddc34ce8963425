package passwd

import (
	"slices"
	"strings"
)

// LoginName is a user in a container's passwd and group with the numbers of the container's own
// user. The engine starts an agent with the groups of this name. It also shows which lines of group(5)
// are dockersh's, whatever the image or somebody inside wrote about the user.
const LoginName = "_dockersh"

// SetLoginGroups returns a container's passwd and group with the groups that a login of who has.
// Memberships that an earlier login added, and this one lacks, are removed; whatever else the
// files have of who stays. The error is ErrField.
func SetLoginGroups(passwd, group []byte, who Identity) (newPasswd, newGroup []byte, err error) {
	who, users, groups, err := split(passwd, group, who)
	if err != nil {
		return nil, nil, err
	}
	users = slices.DeleteFunc(users, func(l string) bool { return nameOf(l) == LoginName })
	setPrimary(users, who)
	kept := map[uint32]bool{}
	for _, g := range who.Groups {
		kept[g.GID] = g.GID != who.GID
	}
	for i, l := range groups {
		groups[i] = withoutFormerMember(l, who.Name, kept)
	}
	groups = mergePrimary(groups, who.primary())
	for _, g := range who.Groups {
		if g.GID != who.GID {
			groups = mergeGroup(mergeGroup(groups, g, who.Name), g, LoginName)
		}
	}
	if slices.ContainsFunc(who.Groups, func(g Group) bool { return g.GID != who.GID }) {
		login := Identity{Name: LoginName, UID: who.UID, GID: who.GID, Gecos: "groups of the login", Home: "/", Shell: "/bin/false"}
		users = append(users, login.entry(noPassword))
	}
	return file(users), file(groups), nil
}

// setPrimary sets the primary group in the entry of who.
func setPrimary(users []string, who Identity) {
	for i, l := range users {
		if f := strings.Split(l, ":"); len(f) > 4 && f[0] == who.Name && hasID(l, who.UID) {
			f[3] = FormatID(who.GID)
			users[i] = strings.Join(f, ":")
			return
		}
	}
}

// withoutFormerMember returns a line of group(5) without LoginName and name, if it has the first
// and its number is not one of kept.
func withoutFormerMember(line, name string, kept map[uint32]bool) string {
	g, members, ok := parseGroup(line)
	if !ok || kept[g.GID] || !slices.Contains(members, LoginName) {
		return line
	}
	members = slices.DeleteFunc(members, func(m string) bool { return m == LoginName || m == name })
	return line[:strings.LastIndexByte(line, ':')+1] + strings.Join(members, ",")
}
