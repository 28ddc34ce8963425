package facts

import (
	"path/filepath"
	"slices"
	"strings"
)

// PAMModule is the file name of our module for sshd's PAM stack, pam_dockersh(8).
const PAMModule = "pam_dockersh.so"

// PAMRule is a session line of a PAM service (pam.d(5)).
type PAMRule struct {
	Location
	Control, Module string
	Args            []string
}

// maxIncludes is how deep services may include each other.
const maxIncludes = 10

// SessionRules returns the session lines of a PAM service, with those that it includes. read
// returns the text of a service's file, and the file's name.
func SessionRules(service string, read func(service string) (text, file string)) []PAMRule {
	return sessionRules(service, read, 0)
}

func sessionRules(service string, read func(string) (text, file string), depth int) (all []PAMRule) {
	if depth > maxIncludes {
		return nil
	}
	text, file := read(service)
	for n, line := range strings.Split(strings.ReplaceAll(text, "\\\n", " "), "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if included, ok := strings.CutPrefix(line, "@include"); ok {
			all = append(all, sessionRules(strings.TrimSpace(included), read, depth+1)...)
			continue
		}
		kind, rest, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		if !strings.EqualFold(strings.TrimPrefix(kind, "-"), "session") {
			continue
		}
		rest = strings.TrimSpace(rest)
		control, rest, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(control, "[") {
			control, rest, _ = strings.Cut(control+" "+rest, "]")
			control += "]"
		}
		words := strings.Fields(rest)
		switch {
		case len(words) == 0:
		case control == "include", control == "substack":
			all = append(all, sessionRules(words[0], read, depth+1)...)
		default:
			all = append(all, PAMRule{Location{File: file, Line: n + 1, Text: line}, control, words[0], words[1:]})
		}
	}
	return all
}

// IsOurs reports whether the line is that of our module.
func (r PAMRule) IsOurs() bool { return filepath.Base(r.Module) == PAMModule }

// ActsAt reports whether our module acts at an end of the session: "open" or "close".
func (r PAMRule) ActsAt(end string) bool {
	return r.IsOurs() && (slices.Contains(r.Args, end) || !slices.Contains(r.Args, "open") && !slices.Contains(r.Args, "close"))
}

// Holds reports whether a failure of the module is one of the session.
func (r PAMRule) Holds() bool {
	switch r.Control {
	case "required", "requisite":
		return true
	}
	return strings.HasPrefix(r.Control, "[") && (strings.Contains(r.Control, "default=bad") || strings.Contains(r.Control, "default=die"))
}

// actsOn reports whether the module acts on a user.
func (r PAMRule) actsOn(h *Host, u *User) bool {
	return u.Shell == h.Front || slices.Contains(r.Args, "user="+u.Name) ||
		slices.ContainsFunc(u.Groups, func(g string) bool { return slices.Contains(r.Args, "group="+g) })
}

// Opening returns the place of the line by which our module puts connections into networks; -1
// without one.
func (h *Host) Opening() int {
	return slices.IndexFunc(h.PAMSessions, func(r PAMRule) bool { return r.ActsAt("open") })
}

// Announces reports whether sshd's PAM stack has our module for a user, whatever else is
// wrong with it.
func (u *User) Announces(h *Host) bool {
	at := h.Opening()
	return at >= 0 && h.PAMSessions[at].actsOn(h, u)
}

// Joined reports whether what sshd forwards for a user is in the network of the user's
// container, by our module.
func (u *User) Joined(h *Host) bool {
	return u.Announces(h) && h.PAMMissing == "" && h.PAMSessions[h.Opening()].Holds() && u.SSHD.On("usepam")
}
