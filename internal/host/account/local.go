package account

import (
	"bufio"
	"io"
	"os"
	"strings"
)

const (
	passwdFile = "/etc/passwd"
	switchFile = "/etc/nsswitch.conf"
)

// local finds a user in the host's own passwd(5), if getent would print the same entry:
// if the name service looks there first and, once it has found the user, nowhere else.
// Starting getent takes a good part of a login that has a broker of its own.
func (d *DB) local(is func(User) bool) (u User, ok bool) {
	order, err := os.ReadFile(d.switchPath)
	if err != nil || !filesFirst(string(order)) {
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
func findUser(passwd io.Reader, is func(User) bool) (User, bool) {
	lines := bufio.NewScanner(passwd) // a line that is too long ends the search
	for lines.Scan() {
		if u, ok := parseUser(lines.Text()); ok && u.Name[0] != '+' && u.Name[0] != '-' && is(u) {
			return u, true
		}
	}
	return User{}, false
}

// filesFirst reports whether nsswitch.conf(5) has users looked up in files first.
func filesFirst(text string) bool {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		services, ok := strings.CutPrefix(strings.TrimSpace(line), "passwd:")
		if !ok {
			continue
		}
		f := strings.Fields(services)
		// An action in brackets may continue the search all the same.
		return len(f) > 0 && f[0] == "files" && (len(f) == 1 || f[1][0] != '[')
	}
	return false
}
