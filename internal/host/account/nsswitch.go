package account

import (
	"bufio"
	"io"
	"os"
	"strings"

	"github.com/dockersh/dockersh/internal/host/passwd"
)

const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
	switchFile = "/etc/nsswitch.conf"
)

// local finds a user in the host's own passwd(5), if getent would print the same entry:
// if the name service looks there first and, once it has found the user, nowhere else.
// Starting getent is slow.
func (d *DB) local(is func(User) bool) (u User, ok bool) {
	order, err := os.ReadFile(d.switchPath)
	if err != nil || !filesFirst(string(order), "passwd") {
		return User{}, false
	}
	f, err := os.Open(d.passwdPath)
	if err != nil {
		return User{}, false
	}
	defer f.Close()
	return findUser(f, is)
}

// findUser returns the first user for whom is returns true. Names that begin with a sign
// are for another name service (compat), and not users.
func findUser(file io.Reader, is func(User) bool) (User, bool) {
	lines := bufio.NewScanner(file) // a line that is too long ends the search
	for lines.Scan() {
		if u, ok := passwd.ParseUser(lines.Text()); ok && u.Name[0] != '+' && u.Name[0] != '-' && is(u) {
			return u, true
		}
	}
	return User{}, false
}

// filesFirst reports whether nsswitch.conf(5) has a database looked up in files first.
func filesFirst(text, database string) bool {
	f, _ := switchLine(text, database)
	// An action in brackets may continue the search all the same.
	return len(f) > 0 && f[0] == "files" && (len(f) == 1 || f[1][0] != '[')
}

// switchLine returns the words of a database's line in nsswitch.conf(5), and reports
// whether there is such a line. A word is a service, or an action in its brackets.
func switchLine(text, database string) (words []string, ok bool) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		line, ok := strings.CutPrefix(strings.TrimSpace(line), database+":")
		if !ok {
			continue
		}
		for line != "" {
			before, rest, _ := strings.Cut(line, "[")
			words = append(words, strings.Fields(before)...)
			action, after, closed := strings.Cut(rest, "]")
			if closed {
				words = append(words, "["+strings.Join(strings.Fields(action), " ")+"]")
			}
			line = after
		}
		return words, true
	}
	return nil, false
}

// withoutService returns the words of a line of nsswitch.conf(5) without a service and its
// action.
func withoutService(words []string, service string) (out []string) {
	for i, w := range words {
		if w == service || w[0] == '[' && i > 0 && words[i-1] == service {
			continue
		}
		out = append(out, w)
	}
	return out
}
