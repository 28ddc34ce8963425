package facts

import (
	"cmp"
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

// PAMService is what is known of a PAM service of sshd.
type PAMService struct {
	Name     string
	Sessions []PAMRule // its session lines
	Missing  string    // the file of our module, if they name it and it is missing
}

// defaultService is sshd's PAM service without PAMServiceName.
const defaultService = "sshd"

// PAMServiceName returns the name of the PAM service that sshd uses for a user. Since OpenSSH
// 10.0 that is an option, which may be in a Match block.
func (u *User) PAMServiceName() string { return cmp.Or(u.SSHD.Get("pamservicename"), defaultService) }

// PAMServices returns the names of the PAM services that sshd uses for the host's users.
func (h *Host) PAMServices() []string {
	names := []string{defaultService}
	for _, u := range h.Users {
		if name := u.PAMServiceName(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// pam returns the PAM service that sshd uses for a user.
func (u *User) pam(h *Host) *PAMService {
	for _, s := range h.PAM {
		if s.Name == u.PAMServiceName() {
			return s
		}
	}
	return &PAMService{}
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
func (s *PAMService) Opening() int {
	return slices.IndexFunc(s.Sessions, func(r PAMRule) bool { return r.ActsAt("open") })
}

// Announces reports whether sshd's PAM stack has our module for a user, whatever else is
// wrong with it.
func (u *User) Announces(h *Host) bool {
	s := u.pam(h)
	at := s.Opening()
	return at >= 0 && s.Sessions[at].actsOn(h, u)
}

// Joined reports whether what sshd forwards for a user is in the network of the user's
// container, by our module.
func (u *User) Joined(h *Host) bool {
	s := u.pam(h)
	return u.Announces(h) && s.Missing == "" && s.Sessions[s.Opening()].Holds() && u.SSHD.On("usepam")
}
