package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// going ends the name of a directory that is being removed. No container has it.
const going = "~"

// Forget takes the directory away, all at once: the next one who looks for it
// makes a new one.
func (d Dir) Forget() error {
	gone := string(d) + going
	if err := remove(gone); err != nil { // of a broker that was killed
		return err
	}
	if err := os.Rename(string(d), gone); err != nil {
		return err
	}
	return remove(gone)
}

// Clear takes away what there is of a container that was removed; the lock is held,
// and stays.
func (d Dir) Clear() error {
	socks, _ := filepath.Glob(d.agentSocket("*")) // fails only on a bad pattern
	var errs []error
	for _, path := range append(socks, d.file("made"), d.file("owner"), d.file("owner.shut")) {
		if err := unix.Unlink(path); err != nil && err != unix.ENOENT {
			errs = append(errs, &os.PathError{Op: "unlink", Path: path, Err: err})
		}
	}
	return errors.Join(errs...)
}

// Unused tells whether the directory is there for a container that never came to be,
// or of which nothing need be kept.
func (d Dir) Unused() bool {
	for _, name := range []string{"", "owner", "owner.shut", "made"} {
		if _, err := os.Lstat(d.file(name)); (name == "") == errors.Is(err, os.ErrNotExist) {
			return false
		}
	}
	return true
}

// Containers are the names that have a directory.
func Containers(run string) []string {
	all, _ := os.ReadDir(filepath.Dir(string(Of(run, "x")))) // without it there are none
	var names []string
	for _, e := range all {
		if !strings.HasSuffix(e.Name(), going) {
			names = append(names, e.Name())
		}
	}
	return names
}

// Tidy finishes what brokers that were killed began to Forget.
func Tidy(run string) error {
	all, _ := filepath.Glob(string(Of(run, "*"+going))) // fails only on a bad pattern
	var errs []error
	for _, dir := range all {
		errs = append(errs, remove(dir))
	}
	return errors.Join(errs...)
}

// remove removes a directory of ours, knowing what can be in it. It does not walk
// down: should a home ever be mounted in there still, it must not be emptied.
func remove(dir string) error {
	if err := clean(dir); err != nil {
		return err
	}
	for _, sub := range []string{"/in", "/home", ""} {
		if sub == "/in" {
			if err := clean(dir + sub); err != nil {
				return err
			}
		}
		if err := unix.Rmdir(dir + sub); err != nil && err != unix.ENOENT {
			return &os.PathError{Op: "rmdir", Path: dir + sub, Err: err}
		}
	}
	return nil
}

// clean unlinks what is no directory.
func clean(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if err := unix.Unlink(filepath.Join(dir, e.Name())); err != nil && err != unix.ENOENT {
			return &os.PathError{Op: "unlink", Path: filepath.Join(dir, e.Name()), Err: err}
		}
	}
	return nil
}
