package metrics

import (
	"context"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/wait"
)

// recordings are those below one directory.
type recordings struct {
	dir          string // of the settings, without what depends on the login
	known        bool   // they could be counted in time
	number, size uint64 // size in bytes
	room, free   uint64 // of the file system, in bytes
}

// countRecordings counts the recordings that templates of the settings lead to, until ctx ends:
// there may be any number of them, on a file system that does not answer.
func countRecordings(ctx context.Context, templates []string) (all []recordings) {
	for _, t := range templates {
		dir, patterns := split(t)
		if dir == "" {
			continue
		}
		found := make(chan recordings, 1)
		one := recordings{dir: dir}
		if wait.Until(ctx, func() { found <- count(ctx, dir, patterns) }) {
			one = <-found
		}
		all = add(all, one)
	}
	return all
}

// add adds what was found to that below the same directory.
func add(all []recordings, one recordings) []recordings {
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

// split returns the directory with which a template begins, and a pattern of path.Match for
// each element below it. The directory is empty if even the first element depends on the login.
func split(template string) (dir string, patterns []string) {
	elements := strings.Split(strings.TrimPrefix(template, "/"), "/")
	n := 0
	for n < len(elements)-1 && !strings.Contains(elements[n], "%") {
		n++
	}
	if n == 0 || !strings.HasPrefix(template, "/") {
		return "", nil
	}
	for _, e := range elements[n:] {
		patterns = append(patterns, pattern(e))
	}
	return "/" + path.Join(elements[:n]...), patterns
}

// pattern returns what matches an element of a template, whatever the login is.
func pattern(element string) string {
	var b strings.Builder
	for i := 0; i < len(element); i++ {
		switch c := element[i]; {
		case c == '%' && i+1 < len(element):
			if i++; element[i] == '%' {
				b.WriteByte('%')
			} else {
				b.WriteByte('*')
			}
		case strings.IndexByte(`*?[\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// count walks through a directory.
func count(ctx context.Context, dir string, patterns []string) recordings {
	r := recordings{dir: dir}
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) == nil {
		r.room, r.free = fs.Blocks*uint64(fs.Bsize), fs.Bfree*uint64(fs.Bsize)
	}
	r.known = r.walk(ctx, dir, patterns)
	return r
}

// walk adds the files below a directory; false if it was interrupted. It follows no link.
func (r *recordings) walk(ctx context.Context, dir string, patterns []string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return os.IsNotExist(err)
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return false
		}
		matches, _ := path.Match(patterns[0], e.Name())
		if len(patterns) > 1 {
			if matches && e.IsDir() && !r.walk(ctx, dir+"/"+e.Name(), patterns[1:]) {
				return false
			}
			continue
		}
		if !matches { // a number is added where a name was taken, and an ending where logrotate compresses
			matches, _ = path.Match(patterns[0]+".*", e.Name())
		}
		if matches && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				r.number++
				r.size += uint64(info.Size())
			}
		}
	}
	return true
}
