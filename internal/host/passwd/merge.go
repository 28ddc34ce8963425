package passwd

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// ErrField is an identity that passwd(5) and group(5) cannot hold, or that would be taken
// for another one in this image.
var ErrField = errors.New("the user cannot be written into passwd and group")

// Merge returns an image's passwd and group with who in them. Not a byte of anything else
// is changed: neither other users nor lines that are not entries.
//
// An entry of the same name is replaced. An entry of the same number stays, but ours comes
// before it: the first one found names the files. Of the image's root only home, shell and
// group are set. The primary group has its own name, by the same rule; a supplementary
// group whose number the image has keeps the image's name and gets who as a member. If a
// group's name has another number in the image, ours becomes NAME-GID. An image without
// root gets one. shadowed are names as ShadowNames returns them. The error is ErrField.
func Merge(passwd, group, shadowed []byte, who Identity) (newPasswd, newGroup []byte, err error) {
	who, users, groups, err := split(passwd, group, who)
	if err != nil {
		return nil, nil, err
	}
	return file(mergeUser(users, lines(shadowed), who)), file(mergeGroups(groups, who)), nil
}

// split returns the lines of passwd and group, if who can be written into them. The error is
// ErrField.
func split(passwd, group []byte, who Identity) (checked Identity, users, groups []string, err error) {
	if checked, err = who.checked(); err != nil {
		return Identity{}, nil, nil, err
	}
	users, groups = lines(passwd), lines(group)
	if err := canMerge(groups, checked); err != nil {
		return Identity{}, nil, nil, err
	}
	return checked, users, groups, noNumericNames(users, groups, checked)
}

// Entries returns the lines of passwd(5) and group(5), without newlines, of who and the
// primary group, for a container that has its files already. The error is ErrField.
func Entries(who Identity) (passwd, group string, err error) {
	if who, err = who.checked(); err != nil {
		return "", "", err
	}
	g := who.primary()
	return who.entry(noPassword), formatGroup(g.Name, g.GID), nil
}

// file is the reverse of lines.
func file(lines []string) []byte {
	return []byte(strings.Join(lines, "\n") + "\n")
}

// checked refuses what would break a line of passwd or group, or become another
// field. Without a home the result has /.
func (who Identity) checked() (Identity, error) {
	bad := func(what, value string) (Identity, error) {
		return Identity{}, fmt.Errorf("%w: %s %q", ErrField, what, value)
	}
	switch {
	case who.Name == "" || who.Name[0] == '#' || strings.TrimSpace(who.Name) != who.Name || HasControl(who.Name) ||
		strings.ContainsAny(who.Name, ":,"):
		return bad("name", who.Name)
	case who.UID == math.MaxUint32 || who.GID == math.MaxUint32: // these mean "none"
		return bad("number", FormatID(who.UID)+":"+FormatID(who.GID))
	case who.Name == "root" && who.UID != 0:
		return bad("root has uid", FormatID(who.UID))
	case numeric(who.Name) && who.Name != FormatID(who.UID):
		return bad("name is a number:", who.Name)
	case strings.ContainsAny(who.Gecos, ":\n\r\x00"):
		return bad("comment", who.Gecos)
	case HasControl(who.Home) || strings.Contains(who.Home, ":"):
		return bad("home", who.Home)
	case HasControl(who.Shell) || strings.Contains(who.Shell, ":"):
		return bad("shell", who.Shell)
	}
	for _, g := range who.Groups {
		if strings.HasPrefix(g.Name, "#") || strings.TrimSpace(g.Name) != g.Name || HasControl(g.Name) || strings.Contains(g.Name, ":") ||
			numeric(g.Name) && g.Name != FormatID(g.GID) {
			return bad("group", g.Name)
		}
	}
	if who.Home == "" {
		who.Home = "/"
	}
	return who, nil
}

// maxMerge is how many lines a merge may look at, all groups together: well below a second.
const maxMerge = 1 << 23

// canMerge refuses what would keep the caller busy: root in a container can make its file of
// newlines.
func canMerge(groups []string, who Identity) error {
	if n := len(who.Groups); (len(groups)+n)*n > maxMerge {
		return fmt.Errorf("%w: %d groups into %d lines", ErrField, n, len(groups))
	}
	return nil
}

func numeric(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// noNumericNames refuses an image in which another user or group has one of our numbers as
// its name: the engine looks up even a number as a name first (CVE-2026-46680). It reads
// lines leniently, as the engine does.
func noNumericNames(users, groups []string, who Identity) error {
	gids := map[string]bool{FormatID(who.GID): true}
	for _, g := range who.Groups {
		gids[FormatID(g.GID)] = true
	}
	for _, l := range users {
		if name := nameOf(l); name == FormatID(who.UID) && name != who.Name && !hasID(l, who.UID) {
			return fmt.Errorf("%w: the image has a user called %s", ErrField, name)
		}
	}
	for _, l := range groups {
		name := nameOf(l)
		if id, ok := ParseID(name); ok && gids[name] && !hasID(l, id) {
			return fmt.Errorf("%w: the image has a group called %s", ErrField, name)
		}
	}
	return nil
}

// nameOf returns what the most lenient reader would take for a line's name.
func nameOf(line string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
	return name
}

// hasID reports whether a line, which need not be a whole entry, has this number.
func hasID(line string, id uint32) bool {
	f := strings.SplitN(strings.TrimSpace(line), ":", 4)
	if len(f) < 3 || strings.HasPrefix(f[0], "#") {
		return false
	}
	n, ok := ParseID(f[2])
	return ok && n == id
}

func mergeUser(image, shadowed []string, who Identity) []string {
	ours := who.entry(noPassword)
	out := make([]string, 0, len(image)+2)
	place, rival, root := -1, -1, who.UID == 0
	for _, l := range image {
		if name := nameOf(l); name == who.Name && strings.Contains(l, ":") {
			if place < 0 {
				place = len(out)
				if old, ok := ParseUser(l); ok && who.Name == "root" {
					who = rootWith(old, who)
				}
				password := noPassword
				if hasShadow(l, shadowed) {
					password = inShadow
				}
				ours = who.entry(password)
			}
			continue
		}
		if rival < 0 && hasID(l, who.UID) {
			rival = len(out)
		}
		root = root || hasID(l, 0)
		out = append(out, l)
	}
	if place < 0 {
		place = len(out)
	}
	if rival >= 0 {
		place = min(place, rival)
	}
	out = slices.Insert(out, place, ours)
	if !root {
		out = slices.Insert(out, 0, "root:*:0:0:root:/root:/bin/sh")
	}
	return out
}

// rootWith returns the image's root with our home, shell and group.
func rootWith(image User, who Identity) Identity {
	who.Gecos = image.Gecos
	if who.Shell == "" {
		who.Shell = image.Shell
	}
	return who
}

// The second field of passwd(5). Without a line in shadow(5), inShadow is an account that
// sudo, su and cron take for a locked one.
const (
	noPassword = "*"
	inShadow   = "x"
)

// hasShadow reports whether an entry of the image has its password in shadow(5).
func hasShadow(entry string, shadowed []string) bool {
	f := strings.SplitN(entry, ":", 3)
	return len(f) == 3 && f[1] == inShadow && slices.Contains(shadowed, f[0])
}

// ShadowNames returns, one a line, the names of the users in a file as shadow(5), without
// their passwords.
func ShadowNames(shadow []byte) []byte {
	var names []byte
	for _, l := range lines(shadow) {
		if name, _, ok := strings.Cut(l, ":"); ok && name != "" {
			names = append(names, name+"\n"...)
		}
	}
	return names
}

// entry returns the line of passwd(5).
func (who Identity) entry(password string) string {
	return strings.Join([]string{who.Name, password, FormatID(who.UID), FormatID(who.GID), who.Gecos, who.Home, who.Shell}, ":")
}

// primary returns the primary group. Without a name of its own it is called by its
// number.
func (who Identity) primary() Group {
	for _, g := range who.Groups {
		if g.GID == who.GID && g.Name != "" {
			return g
		}
	}
	return Group{Name: FormatID(who.GID), GID: who.GID}
}

// formatGroup returns the line of group(5) for a group with at most one member.
func formatGroup(name string, gid uint32, member ...string) string {
	return name + ":x:" + FormatID(gid) + ":" + strings.Join(member, ",")
}
