package metrics

import (
	"context"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/wait"
	"github.com/dockersh/dockersh/internal/root/recordings"
)

// recorded are the recordings below one directory.
type recorded struct {
	dir          string // of the settings, without what depends on the login
	known        bool   // they could be counted in time
	number, size uint64 // size in bytes
	room, free   uint64 // of the file system, in bytes
}

// countRecordings counts the recordings that templates of the settings lead to, until ctx ends:
// there may be any number of them, on a file system that does not answer.
func countRecordings(ctx context.Context, templates []string) (all []recorded) {
	for _, t := range templates {
		place, ok := recordings.PlaceOf(t)
		if !ok {
			continue
		}
		found := make(chan recorded, 1)
		one := recorded{dir: place.Dir}
		if wait.Until(ctx, func() { found <- count(ctx, place) }) {
			one = <-found
		}
		all = add(all, one)
	}
	return all
}

// add adds what was found to that below the same directory.
func add(all []recorded, one recorded) []recorded {
	for i := range all {
		if a := &all[i]; a.dir == one.dir {
			a.known = a.known && one.known
			a.number += one.number
			a.size += one.size
			return all
		}
	}
	return append(all, one)
}

// count counts the recordings of a place.
func count(ctx context.Context, place recordings.Place) recorded {
	r := recorded{dir: place.Dir}
	var fs unix.Statfs_t
	if unix.Statfs(place.Dir, &fs) == nil {
		r.room, r.free = fs.Blocks*uint64(fs.Bsize), fs.Bfree*uint64(fs.Bsize)
	}
	r.known = nil == place.Walk(ctx, func(dir *os.File) error {
		return recordings.Files(ctx, dir, func(name string, st *unix.Stat_t) {
			if isRecording(place, name) {
				r.number++
				r.size += uint64(st.Size)
			}
		})
	})
	return r
}

// isRecording reports whether a file is a recording of a place, or what logrotate(8) made of one by
// adding to its name.
func isRecording(place recordings.Place, name string) bool {
	for ; name != ""; name = strings.TrimSuffix(name, path.Ext(name)) {
		if place.Named(name) {
			return true
		}
		if path.Ext(name) == "" {
			break
		}
	}
	return false
}
