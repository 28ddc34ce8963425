package sessions

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/paths"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/root/state"
)

// place is a run-time directory that the broker of one session has if it runs with its
// user's rights. The user can put anything there, and make it hang.
type place struct {
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

// placesOf returns the places of a user; none for root, whose broker has root's directory.
func placesOf(uid uint32, further furtherDirs) (all []place) {
	if uid == 0 {
		return nil
	}
	for _, name := range ownRunDirs {
		all = append(all, place{strings.Replace(name, "*", strconv.FormatUint(uint64(uid), 10), 1), uid})
	}
	for _, dir := range further[uid] {
		if len(all) < maxFurther && isDirOf(uid, dir) {
			all = append(all, place{dir, uid})
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

// placesInUse returns the places of each user who has a process. Nobody else has a
// session, and a directory that everybody can fill with names need not be read.
func placesInUse() (all [][]place) {
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
		if uid, err := proc.UID(pid); err == nil && !seen[uid] {
			seen[uid] = true
			all = append(all, placesOf(uid, further))
		}
	}
	return all
}

const (
	// maxEntries is how many entries of a place are looked at.
	maxEntries = 1024
	// placeLimit is how long the places of one user may take, placesLimit those of all.
	placeLimit  = 300 * time.Millisecond
	placesLimit = 3 * time.Second
	usersAtOnce = 8
)

// errSlow means that a place was not read in time.
var errSlow = errors.New("the session entries of the user's own broker cannot be read in time")

// looks are at places, by user. One that was given up waits there until dockershctl ends.
var looks = wait.NewPatience()

// found is what is in a place.
type found struct {
	entries []state.Session
	forged  int // live entries that no broker wrote
}

// read returns the live sessions of a place, and how many entries no broker wrote. An entry
// counts only if its process is the user's. The error is errSlow, or the context's.
func (p place) read(ctx context.Context) ([]state.Session, int, error) {
	f, err := lookWithin(ctx, p, func() (f found) {
		// With no more than the user's rights. The owner needs no group.
		_ = sys.AsUser(int(p.uid), nogroup, func() { f = p.readNow() })
		return f
	})
	return f.entries, f.forged, err
}

// lookWithin returns what look finds in a place, unless that takes too long.
func lookWithin(ctx context.Context, p place, look func() found) (found, error) {
	result := make(chan found, 1)
	err := looks.Do(ctx, p.uid, placeLimit, func() { result <- look() })
	if errors.Is(err, wait.ErrGivenUp) {
		return found{}, errSlow
	}
	if err != nil {
		return found{}, err
	}
	return <-result, nil
}

// nogroup is the number of the group that has no files.
const nogroup = 65534

// readNow is read in a thread with the user's rights, without a limit.
func (p place) readNow() (f found) {
	run, err := openDir(unix.AT_FDCWD, p.run, p.uid)
	if err != nil {
		return f
	}
	defer unix.Close(run)
	entries, err := openDir(run, "s", p.uid)
	if err != nil {
		return f
	}
	defer unix.Close(entries)
	d := state.Sessions("/proc/self/fd/" + strconv.Itoa(entries))
	all, forged := d.LiveOf(p.uid, maxEntries)
	f.forged = forged
	for _, s := range all {
		switch owner, err := proc.UID(s.Pid); {
		case err != nil: // it has just ended
		case owner == p.uid:
			f.entries = append(f.entries, s)
		default:
			f.forged++
		}
	}
	return f
}

// openDir opens a directory of a user. It follows no link, and does not wait for the writer
// of a FIFO.
func openDir(at int, name string, uid uint32) (int, error) {
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Uid != uid {
		_ = unix.Close(fd)
		return -1, unix.EPERM
	}
	return fd, nil
}

// ofUserBrokers returns the live sessions of all users' own brokers. A user's name and
// address are not taken from the entry.
func ofUserBrokers(ctx context.Context) (all []Entry, out LeftOut) {
	ctx, cancel := context.WithTimeout(ctx, placesLimit)
	defer cancel()
	next := make(chan []place)
	var mu sync.Mutex
	var work sync.WaitGroup
	for range usersAtOnce {
		work.Go(func() {
			for places := range next {
				one, left := ofUser(ctx, places)
				mu.Lock()
				all = append(all, one...)
				out.add(left)
				mu.Unlock()
			}
		})
	}
	for _, places := range placesInUse() {
		next <- places // after the limit each is unread at once
	}
	close(next)
	work.Wait()
	return all, out
}

// ofUser returns the live sessions in the places of one user.
func ofUser(ctx context.Context, places []place) (all []Entry, out LeftOut) {
	limited, cancel := context.WithTimeout(ctx, placeLimit)
	defer cancel()
	name := ""
	for _, p := range places {
		entries, forged, err := p.read(limited)
		if err != nil {
			out.Unread++
		}
		if name == "" && len(entries)+forged > 0 {
			name = nameOf(ctx, p.uid)
		}
		out.addForged(name, forged)
		for _, s := range entries {
			s.User, s.Address = name, "" // Live asks the kernel for the address
			all = append(all, Entry{Session: s, run: p.run})
		}
	}
	return all, out
}

// nameOf returns the name of a user, or the number if it is not found in time.
func nameOf(ctx context.Context, uid uint32) string {
	if u, err := accounts.ByUID(ctx, uid); err == nil {
		return u.Name
	}
	return strconv.FormatUint(uint64(uid), 10)
}
