package rootfs

import (
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// User is a user to be added to passwd and group of a container that runs.
type User struct {
	Passwd, Group string // lines of passwd(5) and group(5)
	Home          string // empty: none is made

	// Mounted are the names in the home that lead to mounts: for those the runtime makes
	// the home, too, and leaves it to the container's root.
	Mounted []string

	// Volume reports that the home itself is a volume of the engine's, which is empty and
	// owned by root until somebody has been in it.
	Volume bool

	// WasMounted reports that the home may have been mounted in a container before this one, and so
	// is empty and owned by root in the container's own file system.
	WasMounted bool

	// FormerUID is a user of the image whose home it was, and whose files in it become the
	// user's; 0 for none.
	FormerUID uint32

	// UID and GID are the home's owner, and RootGID the group of the container's root, as
	// the caller's user namespace numbers them.
	UID, GID, RootGID uint32
}

// AddUser writes the lines into /etc/passwd and /etc/group, if they are not there, and makes
// the home. No file in a mount is changed, nor one that others than the container's root can
// change, and nothing that exists gets another owner.
func (r *Root) AddUser(u User) error {
	return errors.Join(r.addEntry("/etc/passwd", u.Passwd, u.RootGID), r.addEntry("/etc/group", u.Group, u.RootGID), r.MakeHome(u))
}

// refused is a file or directory that is left alone, and why.
func refused(name, why string) error { return errors.New(name + " is left alone: " + why) }

// maxAccountFile is how much of a file is searched, in bytes.
const maxAccountFile = 1 << 20

// addEntry writes a line into a file. Where the image has another line with its name or
// number, the file is replaced; else the line is appended with one write(2), so that two of
// them cannot mix.
func (r *Root) addEntry(name, entry string, rootGID uint32) error {
	fd, err := r.openFixed(name, unix.O_RDWR|unix.O_APPEND)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	text, err := readAll(fd)
	if err != nil {
		return err
	}
	if name == "/etc/group" {
		entry = withFreeName(text, entry)
	}
	merged, known := mergeEntry(text, entry)
	switch {
	case known:
		return nil
	case merged != "" && len(text) == maxAccountFile:
		return refused(name, "it is too large")
	case merged != "":
		return r.ReplaceFile(name, []byte(merged), rootGID)
	}
	if text != "" && text[len(text)-1] != '\n' {
		entry = "\n" + entry
	}
	_, err = sys.Write(fd, []byte(entry+"\n"))
	return err
}

// readAll reads the first maxAccountFile bytes.
func readAll(fd int) (string, error) {
	b := make([]byte, maxAccountFile)
	n := 0
	for n < len(b) {
		m, err := sys.Read(fd, b[n:])
		if err != nil {
			return "", err
		}
		if m == 0 {
			break
		}
		n += m
	}
	return string(b[:n]), nil
}

// withFreeName returns a line of group(5) with the name NAME-GID where the image has a group
// of that name with another number: there are files of it.
func withFreeName(text, entry string) string {
	want := strings.Split(entry, ":")
	for line := range strings.SplitSeq(text, "\n") {
		if f := strings.Split(line, ":"); len(want) > 2 && len(f) > 2 && f[0] == want[0] && f[2] != want[2] {
			want[0] += "-" + want[2]
			break
		}
	}
	return strings.Join(want, ":")
}

// mergeEntry returns a file with an entry in it that cannot just be appended: where another
// name has its number, it comes first, since the first one found names the files; and another
// number of its name is replaced. known reports that the file names the number so already.
func mergeEntry(text, entry string) (merged string, known bool) {
	want := strings.Split(entry, ":")
	if len(want) < 3 {
		return "", true
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	rest, place, replaced := make([]string, 0, len(lines)), -1, false
	for _, line := range lines {
		f := strings.Split(line, ":")
		sameName, sameNumber := f[0] == want[0], len(f) > 2 && f[2] == want[2]
		// Nobody takes the place of the container's root.
		if sameName && sameNumber && place < 0 || sameNumber && want[2] == "0" {
			return "", true
		}
		if sameName {
			replaced = true
			continue
		}
		if sameNumber && place < 0 {
			place = len(rest)
		}
		rest = append(rest, line)
	}
	switch {
	case place < 0 && !replaced:
		return "", false
	case place < 0:
		place = len(rest)
	}
	return strings.Join(slices.Insert(rest, place, entry), "\n") + "\n", false
}

// MakeHome makes the home of a user, with what the image has for new homes, and its missing
// parents for the container's root.
func (r *Root) MakeHome(u User) error {
	if len(u.Home) < 2 || u.Home[0] != '/' {
		return nil
	}
	// It may be in a mount: a tree of homes that is mounted whole, or a volume of the image.
	w, err := r.walk(u.Home, 0)
	if err != nil {
		return refused(u.Home, err.Error())
	}
	defer func() { _ = unix.Close(w.fd) }()
	if w.rest == "" && u.FormerUID != 0 && w.trusted && w.st.Uid == u.FormerUID {
		c := handover{from: u.FormerUID, uid: int(u.UID), gid: int(u.GID)}
		return c.dir(w.fd, 0)
	}
	if w.rest == "" && (len(u.Mounted) > 0 || u.Volume || u.WasMounted && !r.isMounted(u.Home)) {
		return r.chownEmptyHome(w, u)
	}
	above, base := path.Split(w.rest)
	w.rest = strings.TrimSuffix(above, "/")
	if err := r.makeMissing(u.Home, &w, u.RootGID, r.rootUID, u.RootGID); err != nil || base == "" {
		return err
	}
	if w.rest != "" || !r.belongsToRoot(&w.st) {
		return refused(u.Home, "others than root can change a directory above it")
	}
	return r.fillNew(w.fd, base, skelInside, 0o755, u.UID, u.GID)
}

// isMounted reports whether a path leads into a mount, or that cannot be known.
func (r *Root) isMounted(name string) bool {
	w, err := r.walk(name, unix.RESOLVE_NO_XDEV)
	if err != nil {
		return true
	}
	_ = unix.Close(w.fd)
	return false
}

// skelInside is where images keep what belongs into a new home (useradd(8)).
const skelInside = "/etc/skel"

// chownEmptyHome makes the user the owner of a home that has nothing but ways to mounts. No
// name on the way to it can be changed by others than root.
func (r *Root) chownEmptyHome(w walked, u User) error {
	if !w.trusted || !r.belongsToRoot(&w.st) || w.st.Uid != r.rootUID {
		return nil
	}
	names, err := namesIn(w.fd, len(u.Mounted)+1)
	if err != nil {
		return refused(u.Home, err.Error())
	}
	for _, name := range names {
		if !slices.Contains(u.Mounted, name) {
			return nil
		}
	}
	return unix.Fchownat(w.fd, "", int(u.UID), int(u.GID), unix.AT_EMPTY_PATH)
}

// makeMissing makes the directories that the walk to a path did not find: the last one for a
// user and group, and those above it for the container's root. It stops, with something left
// in w.rest, at one that others than root can change: nobody else may put something in the
// place of what is made here.
func (r *Root) makeMissing(name string, w *walked, rootGID, uid, gid uint32) error {
	for w.rest != "" && r.belongsToRoot(&w.st) {
		next, rest, _ := strings.Cut(w.rest, "/")
		ofUID, ofGID := r.rootUID, rootGID
		if rest == "" {
			ofUID, ofGID = uid, gid
		}
		fd, err := makeDir(w.fd, next, ofUID, ofGID)
		if err != nil {
			return refused(name, err.Error())
		}
		_ = unix.Close(w.fd)
		w.fd, w.rest = fd, rest
		if err := unix.Fstat(w.fd, &w.st); err != nil {
			return err
		}
	}
	return nil
}

// makeDir makes a directory with an owner and opens it. Without the right to give it away,
// as a root process in a container has under no-new-privileges, it stays.
func makeDir(at int, name string, uid, gid uint32) (int, error) {
	if err := unix.Mkdirat(at, name, 0o755); err != nil {
		return -1, err
	}
	fd, err := openBelow(at, name, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_XDEV)
	if err != nil {
		return -1, err
	}
	if err := unix.Fchownat(fd, "", int(uid), int(gid), unix.AT_EMPTY_PATH); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// ReadFixed returns the text of a file that only the container's root can change, outside of
// mounts.
func (r *Root) ReadFixed(name string) (string, error) {
	fd, err := r.openFixed(name, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	text, err := readAll(fd)
	if err == nil && len(text) == maxAccountFile {
		err = refused(name, "it is too large")
	}
	return text, err
}

// openFixed opens a file that only the container's root can change, outside of mounts.
func (r *Root) openFixed(name string, flags int) (fd int, err error) {
	w, err := r.walk(name, unix.RESOLVE_NO_XDEV)
	if err != nil {
		return -1, refused(name, err.Error())
	}
	defer unix.Close(w.fd)
	// What is open with O_PATH cannot change any more: no device, no FIFO, no lease.
	if w.rest != "" || w.st.Mode&unix.S_IFMT != unix.S_IFREG || !r.belongsToRoot(&w.st) {
		return -1, refused(name, "it is not a file that only root can change")
	}
	fd, err = unix.Open("/proc/self/fd/"+strconv.Itoa(w.fd), flags|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, refused(name, err.Error())
	}
	return fd, nil
}
