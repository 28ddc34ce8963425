package account

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// parseUser reads a line of passwd(5): seven fields, none of them trusted.
func parseUser(line string) (User, bool) {
	f := strings.Split(line, ":")
	if len(f) != 7 || f[0] == "" || f[0][0] == '#' || strings.ContainsAny(line, "\x00\n") {
		return User{}, false
	}
	uid, uok := parseID(f[2])
	gid, gok := parseID(f[3])
	if !uok || !gok || control(f[0]) || control(f[5]) || control(f[6]) {
		return User{}, false
	}
	return User{Name: f[0], UID: uid, GID: gid, Gecos: f[4], Home: f[5], Shell: f[6]}, true
}

// parseGroup reads a line of group(5): four fields, none of them trusted.
func parseGroup(line string) (g Group, members []string, ok bool) {
	f := strings.Split(line, ":")
	if len(f) != 4 || f[0] == "" || f[0][0] == '#' || control(line) {
		return Group{}, nil, false
	}
	gid, ok := parseID(f[2])
	if !ok {
		return Group{}, nil, false
	}
	if f[3] != "" {
		members = strings.Split(f[3], ",")
	}
	return Group{Name: f[0], GID: gid}, members, true
}

// parseID reads a uid or gid: digits alone, and not the one that means "none".
func parseID(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n != math.MaxUint32
}

// formatID writes a uid or gid.
func formatID(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// control reports whether s has a control character.
func control(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// lines splits a file; a newline ends a line, also the last one.
func lines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// ParsePasswd returns the users of a passwd file, in its order. It skips lines that are
// not entries.
func ParsePasswd(b []byte) []User {
	var users []User
	for _, l := range lines(b) {
		if u, ok := parseUser(l); ok {
			users = append(users, u)
		}
	}
	return users
}

// ParseGroup returns the groups of a group file, in its order. It skips lines that are not
// entries.
func ParseGroup(b []byte) []Group {
	var groups []Group
	for _, l := range lines(b) {
		if g, _, ok := parseGroup(l); ok {
			groups = append(groups, g)
		}
	}
	return groups
}

// GroupsOf returns the groups of a group file that list user as a member.
func GroupsOf(b []byte, user string) []Group {
	var groups []Group
	for _, l := range lines(b) {
		g, members, ok := parseGroup(l)
		if ok && slices.Contains(members, user) {
			groups = append(groups, g)
		}
	}
	return groups
}
