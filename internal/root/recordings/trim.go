package recordings

import (
	"cmp"
	"context"
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
	taken := map[string]int64{}
	err := p.Walk(ctx, func(dir *os.File) error {
		return Files(ctx, dir, func(name string, st *unix.Stat_t) {
			if p.isRecording(name, st) {
				taken[dir.Name()] += space(st)
			}
		})
	})
	if err != nil {
		return err
	}
	sizes := make([]int64, 0, len(taken))
	for _, n := range taken {
		sizes = append(sizes, n)
	}
	share, over := shareOf(sizes, most)
	if !over {
		return nil
	}
	return p.Walk(ctx, func(dir *os.File) error {
		excess := taken[dir.Name()] - share
		if excess <= 0 {
			return nil
		}
		r, err := p.trimDir(ctx, dir, excess)
		if r.Number > 0 {
			removed(r)
		}
		return err
	})
}

// shareOf returns how much each of several may have so that all together have no more than most;
// over reports whether somebody has more than that.
func shareOf(sizes []int64, most int64) (share int64, over bool) {
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

// isRecording reports whether a file of the place is a recording, by all but its contents. One with
// a second name is kept by somebody.
func (p Place) isRecording(name string, st *unix.Stat_t) bool {
	return st.Uid == uint32(os.Geteuid()) && st.Nlink == 1 && p.Named(name)
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
	for before := -1; excess > 0 && before < r.Number; {
		before = r.Number
		var all []file
		err := Files(ctx, dir, func(name string, st *unix.Stat_t) {
			if !p.isRecording(name, st) {
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

// removeUnused removes a recording unless it is being written; false if it is still there. A file that does
// not begin as recordings do is not ours.
func removeUnused(dir *os.File, f file) bool {
	fd, err := unix.Openat(int(dir.Fd()), f.name, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Ino != f.ino || !beginsAsRecording(fd) {
		return false
	}
	return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil && unix.Unlinkat(int(dir.Fd()), f.name, 0) == nil
}

// beginning is how every recording begins, as far as its first line was written.
const beginning = `{"version":2,`

func beginsAsRecording(fd int) bool {
	var begin [len(beginning)]byte
	n, err := unix.Pread(fd, begin[:], 0)
	return err == nil && string(begin[:n]) == beginning[:n]
}
