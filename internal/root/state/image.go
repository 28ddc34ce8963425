package state

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Accounts are an image's own passwd and group.
type Accounts struct{ Passwd, Group []byte }

// Images is the directory of the accounts of each image, by its id: an image never
// changes.
type Images string

func (d Images) path(id string) string {
	return filepath.Join(string(d), strings.ReplaceAll(id, ":", "-"))
}

// Get returns the accounts of an image; fs.ErrNotExist.
func (d Images) Get(id string) (a Accounts, err error) {
	dir := d.path(id)
	if a.Passwd, err = os.ReadFile(filepath.Join(dir, "passwd")); err == nil {
		a.Group, err = os.ReadFile(filepath.Join(dir, "group"))
	}
	return a, err
}

// Put writes the accounts of an image, both files at once.
func (d Images) Put(id string, a Accounts) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(string(d), "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for name, b := range map[string][]byte{"passwd": a.Passwd, "group": a.Group} {
		if err := os.WriteFile(filepath.Join(tmp, name), b, 0o600); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, d.path(id)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// Lock is held while an image is looked into, among processes.
func (d Images) Lock(ctx context.Context, id string) (unlock func(), err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	return LockFile(ctx, d.path(id)+".lock")
}
