package agent

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// addUser makes a user known in a running container: it appends the lines to
// /etc/passwd and /etc/group if their names and numbers are not there, and makes
// the home. The engine's exec runs it, as the container's root.
func addUser(passwd, group, home string) error {
	err := appendEntry("/etc/passwd", passwd)
	return errors.Join(err, appendEntry("/etc/group", group), makeHome(home, passwd))
}

// maxAccountFile is how much of a file is searched, in bytes.
const maxAccountFile = 1 << 20

// appendEntry appends a line if the file has none with its name or number. It does so
// with one write(2), so that two of them cannot mix.
func appendEntry(path, entry string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_APPEND|unix.O_CREAT|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	b := make([]byte, maxAccountFile)
	n := 0
	for n < len(b) {
		m, err := sys.Read(fd, b[n:])
		if err != nil {
			return err
		}
		if m == 0 {
			break
		}
		n += m
	}
	text := string(b[:n])
	if hasAccount(text, entry) {
		return nil
	}
	if text != "" && text[len(text)-1] != '\n' {
		entry = "\n" + entry
	}
	_, err = sys.Write(fd, []byte(entry+"\n"))
	return err
}

// hasAccount reports whether one of the lines has the name or the number of entry.
func hasAccount(text, entry string) bool {
	want := strings.Split(entry, ":")
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Split(line, ":")
		if len(f) > 2 && len(want) > 2 && (f[0] == want[0] || f[2] == want[2]) {
			return true
		}
	}
	return false
}

// makeHome makes the home for the user, and its missing parents for root.
func makeHome(home, passwd string) error {
	f := strings.Split(passwd, ":")
	if len(f) < 4 || len(home) < 2 || home[0] != '/' {
		return nil
	}
	uid, err := strconv.Atoi(f[2])
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(f[3])
	if err != nil {
		return err
	}
	for i := 1; i < len(home); i++ {
		if home[i] == '/' {
			_ = unix.Mkdir(home[:i], 0o755) // it exists, or the last one fails
		}
	}
	if err := unix.Mkdir(home, 0o755); err != nil {
		if err == unix.EEXIST {
			return nil
		}
		return err
	}
	return unix.Lchown(home, uid, gid)
}
