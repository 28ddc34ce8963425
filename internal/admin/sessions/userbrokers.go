package sessions

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/account"
	"github.com/dockersh/dockersh/internal/host/proc"
	"github.com/dockersh/dockersh/internal/host/sys"
	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/root/state"
)

const (
	// maxEntries is how many entries of a directory are looked at.
	maxEntries  = 1024
	totalLimit  = 3 * time.Second
	usersAtOnce = 8
)

// perUserLimit is how long the directories of one user may take, totalLimit those of all.
var perUserLimit = 300 * time.Millisecond

// errSlow means that a directory was not read in time.
var errSlow = errors.New("the session entries of the user's own broker cannot be read in time")

// userDirReads are reads of these directories, by user. One that was given up waits there
// until dockershctl ends.
var userDirReads = wait.NewAbandonable()

// found is what is in such a directory.
type found struct {
	entries []state.Session
	forged  int // live entries that no broker wrote
}

// read returns the live sessions of a directory, and how many entries no broker wrote. An entry
// counts only if its process is the user's. The error is errSlow, or the context's.
func (p userRunDir) read(ctx context.Context) ([]state.Session, int, error) {
	f, err := readWithin(ctx, p, func() (f found) {
		// With no more than the user's rights. The owner needs no group.
		_ = sys.AsUser(int(p.uid), nogroup, func() { f = p.readNow() })
		return f
	})
	return f.entries, f.forged, err
}

// readWithin returns what read finds in a directory, unless that takes too long.
func readWithin(ctx context.Context, p userRunDir, read func() found) (found, error) {
	result := make(chan found, 1)
	err := userDirReads.Do(ctx, p.uid, perUserLimit, func() { result <- read() })
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
func (p userRunDir) readNow() (f found) {
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
// address are not taken from the entry. Without users the name is the number.
func ofUserBrokers(ctx context.Context, users *account.DB) (all []Entry, out LeftOut) {
	ctx, cancel := context.WithTimeout(ctx, totalLimit)
	defer cancel()
	next := make(chan []userRunDir)
	var mu sync.Mutex
	var work sync.WaitGroup
	for range usersAtOnce {
		work.Go(func() {
			for dirs := range next {
				one, left := ofUser(ctx, users, dirs)
				mu.Lock()
				all = append(all, one...)
				out.add(left)
				mu.Unlock()
			}
		})
	}
	for _, dirs := range runDirsInUse() {
		next <- dirs // after the limit each is unread at once
	}
	close(next)
	work.Wait()
	return all, out
}

// ofUser returns the live sessions in the directories of one user.
func ofUser(ctx context.Context, users *account.DB, dirs []userRunDir) (all []Entry, out LeftOut) {
	limited, cancel := context.WithTimeout(ctx, perUserLimit)
	defer cancel()
	name := ""
	for _, p := range dirs {
		entries, forged, err := p.read(limited)
		if err != nil {
			out.Unread++
		}
		if name == "" && len(entries)+forged > 0 {
			name = nameOf(ctx, users, p.uid)
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
func nameOf(ctx context.Context, users *account.DB, uid uint32) string {
	if users != nil {
		if u, err := users.ByUID(ctx, uid); err == nil {
			return u.Name
		}
	}
	return strconv.FormatUint(uint64(uid), 10)
}
