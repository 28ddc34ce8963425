package look

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/dockersh/dockersh/internal/admin/doctor/facts"
	"github.com/dockersh/dockersh/internal/host/wait"
)

// pathLimit is how long a path of a user may take to answer: it may be on a file system of the
// network that is away, or on one that the user mounted. Once maxSlow have not answered,
// the others have shortLimit each: there may be a thousand.
const (
	pathLimit  = 2 * time.Second
	shortLimit = pathLimit / 10
	maxSlow    = 10
)

// userPaths reads paths of users, each within a limit.
type userPaths struct {
	silent atomic.Int64 // how many did not answer
}

// try runs f, which reads a path of a user, and reports whether the path answered. If not, f
// goes on.
func (p *userPaths) try(ctx context.Context, f func()) bool {
	limit := pathLimit
	if p.silent.Load() >= maxSlow {
		limit = shortLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if !wait.Until(ctx, f) {
		p.silent.Add(1)
		return false
	}
	return true
}

// realPath returns a path without symbolic links, or the path itself if it does not exist
// or does not answer.
func (p *userPaths) realPath(ctx context.Context, path string) (real string, answered bool) {
	found := make(chan string, 1)
	answered = p.try(ctx, func() {
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			real = filepath.Clean(path)
		}
		found <- real
	})
	if !answered {
		return filepath.Clean(path), false
	}
	return <-found, true
}

// Answers reports whether a path of a user answers in time.
func Answers(ctx context.Context, path string) bool {
	_, answered := new(userPaths).realPath(ctx, path)
	return answered
}

// missing returns the directories that do not exist.
func (p *userPaths) missing(ctx context.Context, all []facts.Source) (missing []facts.Source) {
	for _, s := range all {
		gone := make(chan bool, 1)
		if p.try(ctx, func() { _, err := os.Stat(s.Path); gone <- errors.Is(err, fs.ErrNotExist) }) && <-gone {
			missing = append(missing, s)
		}
	}
	return missing
}
