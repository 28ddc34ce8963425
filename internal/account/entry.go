// Package account knows users and groups: those of the host, from any name
// service, and those of an image's passwd and group.
package account

import (
	"bytes"
	"strconv"
	"strings"
)

// User is an entry of passwd(5).
type User struct {
	Name               string
	UID, GID           uint32
	Gecos, Home, Shell string
}

// Group is an entry of group(5) without its members.
type Group struct {
	Name string
	GID  uint32
}

// Identity is a user inside a container. Groups has the primary one first.
type Identity struct {
	Name               string
	UID, GID           uint32
	Gecos, Home, Shell string
	Groups             []Group
}

// parseUser reads one line of passwd(5); false if it is not one.
func parseUser(line string) (User, bool) {
	f := strings.Split(line, ":")
	if len(f) != 7 || f[0] == "" {
		return User{}, false
	}
	uid, err1 := strconv.ParseUint(f[2], 10, 32)
	gid, err2 := strconv.ParseUint(f[3], 10, 32)
	if err1 != nil || err2 != nil {
		return User{}, false
	}
	return User{Name: f[0], UID: uint32(uid), GID: uint32(gid), Gecos: f[4], Home: f[5], Shell: f[6]}, true
}

// parseGroup reads one line of group(5).
func parseGroup(line string) (g Group, members []string, ok bool) {
	f := strings.Split(line, ":")
	if len(f) != 4 || f[0] == "" {
		return Group{}, nil, false
	}
	gid, err := strconv.ParseUint(f[2], 10, 32)
	if err != nil {
		return Group{}, nil, false
	}
	if f[3] != "" {
		members = strings.Split(f[3], ",")
	}
	return Group{Name: f[0], GID: uint32(gid)}, members, true
}

// ParsePasswd gives the entries of a passwd file; lines that are none are passed
// over.
func ParsePasswd(passwd []byte) []User {
	var all []User
	for line := range bytes.Lines(passwd) {
		if u, ok := parseUser(strings.TrimSuffix(string(line), "\n")); ok {
			all = append(all, u)
		}
	}
	return all
}

// ParseGroup gives the entries of a group file.
func ParseGroup(group []byte) []Group {
	var all []Group
	for line := range bytes.Lines(group) {
		if g, _, ok := parseGroup(strings.TrimSuffix(string(line), "\n")); ok {
			all = append(all, g)
		}
	}
	return all
}

// GroupsOf gives the groups that list user as a member.
func GroupsOf(group []byte, user string) []Group {
	var all []Group
	for line := range bytes.Lines(group) {
		g, members, ok := parseGroup(strings.TrimSuffix(string(line), "\n"))
		for _, m := range members {
			if ok && m == user {
				all = append(all, g)
				break
			}
		}
	}
	return all
}
