package account

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// ErrField is a value that no field of passwd(5) can hold.
var ErrField = errors.New("account: a colon, a comma or a line break in a field")

// Merge gives an image's passwd and group with who in them. Of the image nothing
// else is changed: not other users, not lines that are no entries.
//
// An entry of the same name gives way. An entry of the same number stays, but
// ours stands before it: the first one found names the files. A group that has
// the number keeps its name and gets who as a member; a name that has another
// number is left alone, and ours becomes NAME-GID.
func Merge(passwd, group []byte, who Identity) (newPasswd, newGroup []byte, err error) {
	for _, s := range []string{who.Name, who.Gecos, who.Home, who.Shell} {
		if strings.ContainsAny(s, ":\n\x00") {
			return nil, nil, ErrField
		}
	}
	if who.Name == "" || strings.ContainsAny(who.Name, ", \t") {
		return nil, nil, ErrField
	}
	newPasswd = mergePasswd(passwd, who)
	newGroup = group
	for i, g := range who.Groups {
		if g.Name == "" || strings.ContainsAny(g.Name, ":,\n\x00 \t") {
			return nil, nil, ErrField
		}
		newGroup = mergeGroup(newGroup, g, who.Name, i > 0 || g.GID != who.GID)
	}
	if !hasGroup(newGroup, 0) {
		newGroup = append([]byte("root:x:0:\n"), newGroup...)
	}
	return newPasswd, newGroup, nil
}

func mergePasswd(passwd []byte, who Identity) []byte {
	line := strings.Join([]string{who.Name, "x", number(who.UID), number(who.GID), who.Gecos, who.Home, who.Shell}, ":") + "\n"
	var out []byte
	placed, root := false, who.UID == 0
	for l := range bytes.Lines(passwd) {
		u, ok := parseUser(strings.TrimSuffix(string(l), "\n"))
		root = root || ok && u.UID == 0
		if ok && (u.Name == who.Name || u.UID == who.UID) && !placed {
			out = append(out, line...)
			placed = true
		}
		if ok && u.Name == who.Name {
			continue
		}
		out = endLine(append(out, l...))
	}
	if !placed {
		out = append(out, line...)
	}
	if !root {
		out = append([]byte("root:x:0:0:root:/root:/bin/sh\n"), out...)
	}
	return out
}

// mergeGroup makes sure that the number exists, and that it lists user if
// member.
func mergeGroup(group []byte, g Group, user string, member bool) []byte {
	var out []byte
	placed, nameTaken := false, false
	for l := range bytes.Lines(group) {
		text := strings.TrimSuffix(string(l), "\n")
		known, members, ok := parseGroup(text)
		nameTaken = nameTaken || ok && known.Name == g.Name
		if ok && known.GID == g.GID && !placed {
			placed = true
			if member && !contains(members, user) {
				if len(members) > 0 {
					text += ","
				}
				l = []byte(text + user + "\n")
			}
		}
		out = endLine(append(out, l...))
	}
	if placed {
		return out
	}
	name := g.Name
	if nameTaken {
		name += "-" + number(g.GID)
	}
	line := name + ":x:" + number(g.GID) + ":"
	if member {
		line += user
	}
	return append(out, line+"\n"...)
}

func hasGroup(group []byte, gid uint32) bool {
	for _, g := range ParseGroup(group) {
		if g.GID == gid {
			return true
		}
	}
	return false
}

// endLine ends a last line that its file left open.
func endLine(b []byte) []byte {
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	return b
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func number(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
