// Package settings applies package config to this host: it reads the administrator's file as
// it is now, asks who the user is, and returns the settings of their login.
package settings

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/dockersh/dockersh/internal/host/seen"
	"github.com/dockersh/dockersh/internal/proto/usererr"
	"github.com/dockersh/dockersh/internal/rules/config"
	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// Reader reads the administrator's file, again whenever it changed.
type Reader struct {
	Paths [2]string // the first that exists counts
	Owner uint32    // uid that the file must belong to
	// Seen has the files that were there since the host started; nil: those that this
	// Reader found.
	Seen seen.Names

	mu    sync.Mutex
	seen  [2]bool
	path  string
	state fileState
	file  *config.File
	err   error
}

// fileState changes with the content of a file and with who may write it. It is known
// without reading the file.
type fileState struct {
	dev, ino     uint64
	size         int64
	uid, mode    uint32
	mtime, ctime syscall.Timespec
}

func stateOf(st *syscall.Stat_t) fileState {
	return fileState{st.Dev, st.Ino, st.Size, st.Uid, st.Mode, st.Mtim, st.Ctim}
}

// Load returns the file; nil, which stands for the built-in defaults, if there is none and
// was none since the host started. Anything wrong with a file that exists is an error that
// the user may read, and so is a file that is gone: it stops the login.
func (s *Reader) Load() (*config.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, path := range s.Paths {
		var st syscall.Stat_t
		if path == s.path && syscall.Stat(path, &st) == nil && stateOf(&st) == s.state {
			return s.file, s.err
		}
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO there must not block
		if errors.Is(err, fs.ErrNotExist) {
			if err := s.checkMissing(i); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, cannotRead(path, err)
		}
		s.rememberFile(i)
		file, err := s.read(path, f)
		_ = f.Close()
		return file, err
	}
	return nil, nil
}

// checkMissing returns an error if a path that leads to no file led to one, or is a link: what
// the administrator wants is not known then, and the defaults may allow more.
func (s *Reader) checkMissing(i int) error {
	path := s.Paths[i]
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return cannotRead(path, errors.New("it was put there just now"))
	} else if err == nil {
		return usererr.New(usererr.Settings, path+": is a link that leads nowhere", usererr.RunCheck, nil)
	}
	if s.seen[i] || s.Seen != nil && s.Seen.Has(seenPrefix+filepath.Base(path)) {
		return usererr.New(usererr.Settings, path+": was there, and is gone",
			"ask the administrator to run: echo '[dockersh]' >"+path+" (for the defaults), or to restore the file", nil)
	}
	return nil
}

// rememberFile remembers that there is a file.
func (s *Reader) rememberFile(i int) {
	if s.seen[i] {
		return
	}
	s.seen[i] = true
	if s.Seen != nil {
		_ = s.Seen.Add(seenPrefix + filepath.Base(s.Paths[i])) // this Reader knows it all the same
	}
}

// seenPrefix stands before the name of a file in Seen.
const seenPrefix = "settings-"

func (s *Reader) read(path string, f *os.File) (*config.File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, cannotRead(path, err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || !info.Mode().IsRegular():
		return nil, cannotRead(path, errors.New("not a regular file"))
	case st.Uid != s.Owner || info.Mode().Perm()&0o022 != 0:
		// Whoever can write the file can become root.
		return nil, usererr.New(usererr.Settings, path+": it must belong to root and be writable by no one else",
			"ask the administrator to run: chown root "+path+"; chmod go-w "+path, nil)
	case info.Size() > config.MaxFile:
		return nil, cannotRead(path, errors.New("larger than 1 MiB"))
	}
	b, err := io.ReadAll(io.LimitReader(f, config.MaxFile+1))
	if err != nil {
		return nil, cannotRead(path, err)
	}
	s.path, s.state = path, stateOf(st)
	if time.Since(info.ModTime()) < time.Second {
		// The clock of the file system is coarse: the file may change once more and
		// look the same.
		s.state = fileState{}
	}
	s.file, s.err = Parse(path, b)
	if s.err != nil {
		s.file, s.err = nil, firstError(s.err)
	}
	return s.file, s.err
}

// Parse reads the administrator's file as config.Parse does. A file without a section is
// an error: it may have been cut off, and the defaults may allow more than it did.
func Parse(path string, b []byte) (*config.File, error) {
	file, err := config.Parse(path, b)
	if err == nil && file.Empty() {
		return nil, syntax.Errors{{Origin: syntax.Origin{File: path, Line: 1, Col: 1}, Text: "the file has no section",
			Hint: "for the defaults, write [dockersh]"}}
	}
	return file, err
}

func cannotRead(path string, err error) error {
	return usererr.New(usererr.Settings, path+": cannot be read", usererr.RunCheck, err)
}

// firstError returns the first error of a settings file as one that the user may read; it names
// file, line and column. Other errors are returned as they are.
func firstError(err error) error {
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
