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

// local finds a user in the host's own passwd(5) where getent would give the same
// record: where the name service looks there first, and nowhere else once it has
// found him. To start getent is a good part of a login that has a broker of its own.
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

// findUser gives the first that is meant. Names with a sign at their beginning are
// for another name service (compat), and no users.
func findUser(passwd io.Reader, is func(User) bool) (User, bool) {
	lines := bufio.NewScanner(passwd) // a line that is too long for it ends the search
	for lines.Scan() {
		if u, ok := parseUser(lines.Text()); ok && u.Name[0] != '+' && u.Name[0] != '-' && is(u) {
			return u, true
		}
	}
	return User{}, false
}

// filesFirst reads nsswitch.conf(5).
func filesFirst(text string) bool {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		services, ok := strings.CutPrefix(strings.TrimSpace(line), "passwd:")
		if !ok {
			continue
		}
		f := strings.Fields(services)
		// An action in brackets may say that it goes on all the same.
		return len(f) > 0 && f[0] == "files" && (len(f) == 1 || f[1][0] != '[')
	}
	return false
}
