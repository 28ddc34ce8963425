// Package seen remembers names: of what was there, and must not be missed when it is away,
// such as a settings file or a name service.
package seen

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names is a set of names that only grows.
type Names interface {
	Has(name string) bool
	Add(name string) error // the name may be there
}

// Dir is a directory of names, for several processes, made with the first name. Where it is
// decides whether the names outlive a restart of the host.
type Dir string

// Has reports whether the name was added.
func (d Dir) Has(name string) bool {
	_, err := os.Lstat(filepath.Join(string(d), name))
	return err == nil && name != ""
}

// Add adds a name.
func (d Dir) Add(name string) error {
	if name == "" || name[0] == '.' || strings.Contains(name, "/") {
		return errors.New("not a name: " + name)
	}
	if d.Has(name) { // in one call instead of eight
		return nil
	}
	f, err := os.OpenFile(filepath.Join(string(d), name), os.O_WRONLY|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(string(d), 0o700); err != nil {
			return err
		}
		f, err = os.OpenFile(filepath.Join(string(d), name), os.O_WRONLY|os.O_CREATE, 0o600)
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// ReadOnly returns the names for a program that adds none.
func (d Dir) ReadOnly() Names { return readOnly{d} }

type readOnly struct{ Dir }

func (readOnly) Add(string) error { return nil }
