package recordings

import (
	"cmp"
	"context"
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/trustedpath"
)

// leastSpace is what a recording counts at least, however small: mkfs.ext4(8) makes a file possible
// for each 16 KiB, so a limit on space is one on the number of files, too.
const leastSpace = 16 << 10

// space returns what a file counts.
func space(st *unix.Stat_t) int64 { return max(st.Blocks*512, leastSpace) }

// Removed is what was removed in one directory.
type Removed struct {
	Dir    string
	Number int
	Bytes  int64
}

// taken is what the recordings of a directory take.
type taken struct {
	space int64
	live  int64 // of this, what is being written
}

// Trim removes the oldest recordings of a place that take more than most bytes together, and calls
// removed for each directory with what it lost. A recording is as old as its last output, and one
// that is being written stays.
//
// Each directory may keep the same share: one that takes less loses nothing, and what it leaves is
// for the others. So a user with a directory of their own cannot push out what others have.
func (p Place) Trim(ctx context.Context, most int64, removed func(Removed)) error {
	if _, err := trustedpath.CanMake(p.Dir); err != nil {
		return err
	}
	all := map[string]taken{}
	err := p.Walk(ctx, func(dir *os.File) error {
		var t taken
		others := p.othersIn(dir.Name())
		err := Files(ctx, dir, func(name string, st *unix.Stat_t) {
			if p.isRecording(others, name, st) {
				t.space += space(st)
			}
		})
		all[dir.Name()] = t
		return err
	})
	share, over := shareOf(all, most)
	if !over || ctx.Err() != nil {
		return err
	}
	// No file was opened so far. What is none of ours does not count, and without it the share is larger.
	err = cmp.Or(err, p.Walk(ctx, func(dir *os.File) (err error) {
		if all[dir.Name()].space > share {
			all[dir.Name()], err = p.count(ctx, dir)
		}
		return err
	}))
	if share, over = shareOf(all, most); !over || ctx.Err() != nil {
		return err
	}
	return cmp.Or(err, p.Walk(ctx, func(dir *os.File) error {
		t := all[dir.Name()]
		excess := t.space - share
		if t.live >= share { // whatever is removed, it is too much
			excess -= t.live
		}
		if excess <= 0 {
			return nil
		}
		r, err := p.trimDir(ctx, dir, excess)
		if r.Number > 0 {
			removed(r)
		}
		return err
	}))
}

// count opens the recordings of a directory, and returns what they take.
func (p Place) count(ctx context.Context, dir *os.File) (t taken, err error) {
	others := p.othersIn(dir.Name())
	err = Files(ctx, dir, func(name string, st *unix.Stat_t) {
		if !p.isRecording(others, name, st) {
			return
		}
		fd, err := openUnused(dir, name, st.Ino)
		if err == nil {
			_ = unix.Close(fd)
		}
		if err == nil || errors.Is(err, errLive) {
			t.space += space(st)
		}
		if errors.Is(err, errLive) {
			t.live += space(st)
		}
	})
	return t, err
}

// shareOf returns how much each of several may have so that all together have no more than most;
// over reports whether somebody has more than that.
func shareOf(all map[string]taken, most int64) (share int64, over bool) {
	sizes := make([]int64, 0, len(all))
	for _, t := range all {
		if t.space > 0 {
			sizes = append(sizes, t.space)
		}
	}
	slices.Sort(sizes)
	for i, n := range sizes {
		share = most / int64(len(sizes)-i)
		if n > share {
			return share, true
		}
		most -= n
	}
	return 0, false
}

// isRecording reports whether a file of the place is a recording of no other template, by all but its
// contents. One with
// a second name is kept by somebody.
func (p Place) isRecording(others []other, name string, st *unix.Stat_t) bool {
	return st.Uid == uint32(os.Geteuid()) && st.Nlink == 1 && p.Named(name) &&
		!slices.ContainsFunc(others, func(o other) bool { return o.has(name) })
}

// maxOldest is how many files of a directory are kept in memory at once.
const maxOldest = 1 << 15

type file struct {
	name      string
	sec, nsec int64 // of the last output
	ino       uint64
	space     int64
}

// trimDir removes the oldest recordings of a directory, until they have freed so much.
func (p Place) trimDir(ctx context.Context, dir *os.File, excess int64) (r Removed, err error) {
	r.Dir = dir.Name()
	others := p.othersIn(r.Dir)
	for before := -1; excess > 0 && before < r.Number; {
		before = r.Number
		var all []file
		err := Files(ctx, dir, func(name string, st *unix.Stat_t) {
			if !p.isRecording(others, name, st) {
				return
			}
			if all = append(all, file{name, st.Mtim.Sec, st.Mtim.Nsec, st.Ino, space(st)}); len(all) == 2*maxOldest {
				all = oldest(all)
			}
		})
		if err != nil {
			return r, err
		}
		for _, f := range oldest(all) {
			if excess <= 0 || ctx.Err() != nil {
				break
			}
			if removeUnused(dir, f) {
				excess -= f.space
				r.Number++
				r.Bytes += f.space
			}
		}
	}
	return r, ctx.Err()
}

// oldest returns the oldest files, in order.
func oldest(all []file) []file {
	slices.SortFunc(all, func(a, b file) int {
		return cmp.Or(cmp.Compare(a.sec, b.sec), cmp.Compare(a.nsec, b.nsec), cmp.Compare(a.name, b.name))
	})
	return all[:min(len(all), maxOldest)]
}

// removeUnused removes a recording unless it is being written; false if it is still there.
func removeUnused(dir *os.File, f file) bool {
	fd, err := openUnused(dir, f.name, f.ino)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Unlinkat(int(dir.Fd()), f.name, 0) == nil
}

var (
	errLive  = errors.New("it is being written")
	errOther = errors.New("it is no recording, or not the one of that name")
)

// openUnused opens and locks a recording; errLive if it is being written. One that cannot be
// written, as after chattr(1) +i, cannot be removed either, and a file that does not begin as
// recordings do is not ours. The name is compared under the lock: another process that looks
// removes the file only under it.
func openUnused(dir *os.File, name string, ino uint64) (fd int, err error) {
	fd, err = unix.Openat(int(dir.Fd()), name, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		err = errLive
	}
	if unix.Fstat(fd, &st) != nil || st.Ino != ino || st.Nlink != 1 || !beginsAsRecording(fd) {
		err = errOther
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// beginning is how every recording begins, as far as its first line was written.
const beginning = `{"version":2,`

func beginsAsRecording(fd int) bool {
	var begin [len(beginning)]byte
	n, err := unix.Pread(fd, begin[:], 0)
	return err == nil && string(begin[:n]) == beginning[:n]
}
