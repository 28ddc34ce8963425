package sessions

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/proc"
)

// userRunDir is a run-time directory that the broker of one session has if it runs with its
// user's rights. The user can put anything there, and make it hang.
type userRunDir struct {
	run string
	uid uint32
}

// ownRunDirs are the names of these directories, with the user's number in place of the
// star.
var ownRunDirs = paths.OwnRuns("*")

// furtherDirs are the directories beside those of ownRunDirs, by the number in their name:
// a user whose name in /tmp was taken has one with an ending that nobody can guess.
type furtherDirs map[uint32][]string

// maxNames is how many names in /tmp are looked at, which anybody can fill.
const maxNames = 1 << 16

// findFurtherDirs looks for them. Whose they are is not known yet.
func findFurtherDirs() furtherDirs {
	base, begin := filepath.Split(strings.TrimSuffix(ownRunDirs[len(ownRunDirs)-1], "*"))
	dir, err := os.Open(base)
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(maxNames)
	all := furtherDirs{}
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, begin)
		number, _, further := strings.Cut(rest, "-")
		if uid, err := strconv.ParseUint(number, 10, 32); ok && further && err == nil {
			all[uint32(uid)] = append(all[uint32(uid)], base+name)
		}
	}
	return all
}

// maxFurther is how many such directories of a user are looked at.
const maxFurther = 64

// runDirsOf returns the run-time directories of a user; none for root, whose broker has root's directory.
func runDirsOf(uid uint32, further furtherDirs) (all []userRunDir) {
	if uid == 0 {
		return nil
	}
	for _, name := range ownRunDirs {
		all = append(all, userRunDir{strings.Replace(name, "*", strconv.FormatUint(uint64(uid), 10), 1), uid})
	}
	for _, dir := range further[uid] {
		if len(all) < maxFurther && isDirOf(uid, dir) {
			all = append(all, userRunDir{dir, uid})
		}
	}
	return all
}

// isDirOf reports whether a path is a directory of a user, by what the kernel knows: a file
// system that is mounted there is not asked, and may not answer.
func isDirOf(uid uint32, path string) bool {
	var st unix.Statx_t
	const how = unix.AT_SYMLINK_NOFOLLOW | unix.AT_NO_AUTOMOUNT | unix.AT_STATX_DONT_SYNC
	err := unix.Statx(unix.AT_FDCWD, path, how, unix.STATX_TYPE|unix.STATX_UID, &st)
	return err == nil && st.Uid == uid && uint32(st.Mode)&unix.S_IFMT == unix.S_IFDIR
}

// runDirsInUse returns the run-time directories of each user who has a process. Nobody else has a
// session, and a directory that everybody can fill with names need not be read.
func runDirsInUse() (all [][]userRunDir) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	seen, further := map[uint32]bool{}, findFurtherDirs()
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if uid, err := userOf(pid); err == nil && !seen[uid] {
			seen[uid] = true
			all = append(all, runDirsOf(uid, further))
		}
	}
	return all
}

// userOf returns the user of a process: the owner of its directory in /proc, which is quicker
// to find out than its real uid. Root's may be a setuid program that another user started.
func userOf(pid int) (uint32, error) {
	var st unix.Stat_t
	if err := unix.Lstat("/proc/"+strconv.Itoa(pid), &st); err != nil || st.Uid != 0 {
		return st.Uid, err
	}
	return proc.UID(pid)
}
