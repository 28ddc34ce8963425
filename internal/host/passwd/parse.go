package passwd

import (
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ParseUser reads a line of passwd(5): seven fields, none of them trusted.
func ParseUser(line string) (User, bool) {
	f := strings.Split(line, ":")
	if len(f) != 7 || f[0] == "" || f[0][0] == '#' || strings.ContainsAny(line, "\x00\n") {
		return User{}, false
	}
	uid, uok := ParseID(f[2])
	gid, gok := ParseID(f[3])
	if !uok || !gok || HasControl(f[0]) || HasControl(f[5]) || HasControl(f[6]) {
		return User{}, false
	}
	return User{Name: f[0], UID: uid, GID: gid, Gecos: f[4], Home: f[5], Shell: f[6]}, true
}

// parseGroup reads a line of group(5): four fields, none of them trusted.
func parseGroup(line string) (g Group, members []string, ok bool) {
	f := strings.Split(line, ":")
	if len(f) != 4 || f[0] == "" || f[0][0] == '#' || HasControl(line) {
		return Group{}, nil, false
	}
	gid, ok := ParseID(f[2])
	if !ok {
		return Group{}, nil, false
	}
	if f[3] != "" {
		members = strings.Split(f[3], ",")
	}
	return Group{Name: f[0], GID: gid}, members, true
}

// ParseID reads a uid or gid: digits alone, and not the one that means "none".
func ParseID(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n != math.MaxUint32
}

// FormatID writes a uid or gid.
func FormatID(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// HasControl reports whether s has a control character.
func HasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// lines splits a file; a newline ends a line, also the last one.
func lines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// Users returns the users of a passwd file, in its order. It skips lines that are not
// entries.
func Users(b []byte) []User {
	var users []User
	for _, l := range lines(b) {
		if u, ok := ParseUser(l); ok {
			users = append(users, u)
		}
	}
	return users
}

// Members returns the groups of a group file with the names of their members, in its order.
// It skips lines that are not entries.
func Members(b []byte) iter.Seq2[Group, []string] {
	return func(yield func(Group, []string) bool) {
		for _, l := range lines(b) {
			if g, members, ok := parseGroup(l); ok && !yield(g, members) {
				return
			}
		}
	}
}

// Groups returns the groups of a group file, in its order.
func Groups(b []byte) []Group {
	var groups []Group
	for g := range Members(b) {
		groups = append(groups, g)
	}
	return groups
}

// GroupsOf returns the groups of a group file that list user as a member.
func GroupsOf(b []byte, user string) []Group {
	var groups []Group
	for g, members := range Members(b) {
		if slices.Contains(members, user) {
			groups = append(groups, g)
		}
	}
	return groups
}
