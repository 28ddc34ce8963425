// Package settings reads the administrator's settings file, and merges it and ~/.dockersh
// into the settings of one user.
package settings

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// Source is the administrator's file, read again whenever it changed.
type Source struct {
	Paths [2]string // the first that exists counts
	Owner uint32    // uid that the file must belong to

	mu    sync.Mutex
	path  string
	state fileState
	file  *config.File
	err   error
}

// fileState tells one content of a file from another, and who may write it,
// without reading it.
type fileState struct {
	dev, ino     uint64
	size         int64
	uid, mode    uint32
	mtime, ctime syscall.Timespec
}

func stateOf(st *syscall.Stat_t) fileState {
	return fileState{st.Dev, st.Ino, st.Size, st.Uid, st.Mode, st.Mtim, st.Ctim}
}

// Load gives the settings; nil when there is no file: the built-in defaults.
// Whatever is wrong with a file that exists stops the login.
func (s *Source) Load() (*config.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, path := range s.Paths {
		var st syscall.Stat_t
		if path == s.path && syscall.Stat(path, &st) == nil && stateOf(&st) == s.state {
			return s.file, s.err
		}
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO there must not hold us
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, cannotRead(path, err)
		}
		file, err := s.read(path, f)
		_ = f.Close()
		return file, err
	}
	return nil, nil
}

func (s *Source) read(path string, f *os.File) (*config.File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, cannotRead(path, err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return nil, cannotRead(path, errors.New("not a regular file"))
	case st.Uid != s.Owner || info.Mode().Perm()&0o022 != 0:
		// Who can write it can be root.
		return nil, usererr.New(usererr.Settings, path+": it must belong to root and be writable by no one else",
			"chown root "+path+"; chmod go-w "+path, nil)
	case info.Size() > config.MaxFile:
		return nil, cannotRead(path, errors.New("larger than 1 MiB"))
	}
	b, err := io.ReadAll(io.LimitReader(f, config.MaxFile+1))
	if err != nil {
		return nil, cannotRead(path, err)
	}
	s.path, s.state = path, stateOf(st)
	if time.Since(info.ModTime()) < time.Second {
		// The clock of the file system is coarse: it may change once more and
		// look the same.
		s.state = fileState{}
	}
	s.file, s.err = config.Parse(path, b)
	if s.err != nil {
		s.file, s.err = nil, Told(s.err)
	}
	return s.file, s.err
}

func cannotRead(path string, err error) error {
	return usererr.New(usererr.Settings, path+": cannot be read", "ask the administrator", err)
}

// Told shows the first error of a settings file; it names file, line and
// column.
func Told(err error) error {
	var all syntax.Errors
	var one *syntax.Error
	switch {
	case errors.As(err, &all) && len(all) > 0:
		one = all[0]
	case errors.As(err, &one):
	default:
		return err
	}
	return usererr.New(usererr.Settings, one.Error(), one.Hint, err)
}
