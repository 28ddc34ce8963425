package images

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dockersh/dockersh/internal/root/state"
)

// Accounts are an image's own passwd and group, the names in its shadow, one a line, and the
// PATH that its login shells lack.
type Accounts struct{ Passwd, Group, Shadowed, Path []byte }

// keptAccounts is the directory of the accounts of images, by their ids: an image never
// changes. It is in memory, and users may choose images: it keeps the maxImages that were
// used last, and none whose accounts are larger than maxAccounts.
type keptAccounts string

const (
	maxImages   = 64
	maxAccounts = 64 << 10 // bytes; the files of an image that has a thousand users
)

func (d keptAccounts) path(id string) string {
	return filepath.Join(string(d), fileName(id))
}

// get returns the accounts of an image; fs.ErrNotExist if they are not kept.
func (d keptAccounts) get(id string) (a Accounts, err error) {
	dir := d.path(id)
	if isName(id) {
		info, err := os.Stat(filepath.Join(dir, "passwd"))
		if err != nil || time.Since(info.ModTime()) > nameLimit {
			return a, fs.ErrNotExist
		}
	}
	for name, b := range a.files() {
		if *b, err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			break
		}
	}
	now := time.Now()
	_ = os.Chtimes(dir, now, now) // when it was used; it may have been dropped meanwhile
	return a, err
}

// files returns where the accounts are kept.
func (a *Accounts) files() map[string]*[]byte {
	return map[string]*[]byte{"passwd": &a.Passwd, "group": &a.Group, "shadowed": &a.Shadowed, "path": &a.Path}
}

// unfinishedImage begins the name of a directory that put writes.
const unfinishedImage = "new-"

// put keeps the accounts of an image, all files at once, unless they are large. What an
// older version kept is replaced. The lock is held.
func (d keptAccounts) put(id string, a Accounts) error {
	if len(a.Passwd)+len(a.Group)+len(a.Shadowed)+len(a.Path) > maxAccounts {
		return nil
	}
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(string(d), unfinishedImage)
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for name, b := range a.files() {
		if err := os.WriteFile(filepath.Join(tmp, name), *b, 0o600); err != nil {
			return err
		}
	}
	d.remove(id)
	if err := os.Rename(tmp, d.path(id)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d.makeRoom()
	return nil
}

// ids returns the ids of the images that are kept.
func (d keptAccounts) ids() []string {
	var ids []string
	for _, e := range d.kept() {
		ids = append(ids, strings.Replace(e.Name(), "-", ":", 1))
	}
	return ids
}

// remove drops the accounts of an image.
func (d keptAccounts) remove(id string) { _ = os.RemoveAll(d.path(id)) }

// kept returns the entries of images, the one that was used last first.
func (d keptAccounts) kept() []fs.FileInfo {
	all, _ := os.ReadDir(string(d)) // without it there are none
	var kept []fs.FileInfo
	for _, e := range all {
		if info, err := e.Info(); err == nil && e.IsDir() && !strings.HasPrefix(e.Name(), unfinishedImage) {
			kept = append(kept, info)
		}
	}
	slices.SortFunc(kept, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	return kept
}

// unfinishedLimit is longer than any put takes.
const unfinishedLimit = 10 * time.Minute

// makeRoom drops the images that were not used for the longest time, and what killed brokers
// left.
func (d keptAccounts) makeRoom() {
	if kept := d.kept(); len(kept) > maxImages {
		for _, e := range kept[maxImages:] {
			_ = os.RemoveAll(filepath.Join(string(d), e.Name()))
		}
	}
	left, _ := filepath.Glob(filepath.Join(string(d), unfinishedImage+"*")) // fails only on a bad pattern
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > unfinishedLimit {
			_ = os.RemoveAll(path)
		}
	}
}

// lock is held while an image is looked into, among processes.
func (d keptAccounts) lock(ctx context.Context, id string) (unlock func(), err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return nil, err
	}
	path := d.path(id) + ".lock"
	release, err := state.LockFile(ctx, path)
	if err != nil {
		return nil, err
	}
	return func() { _ = os.Remove(path); release() }, nil
}
