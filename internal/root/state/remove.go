package state

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// removing ends the name of a directory that is being removed. No container has it in
// its name.
const removing = "~"

// Remove removes the directory, all at once to the next process that looks for it. The
// caller holds the lock. An idmapped home that is still mounted is an error.
func (c ContainerDir) Remove() error {
	gone := string(c) + removing
	if err := removeFlat(gone); err != nil { // left by a killed broker
		return err
	}
	if err := os.Rename(string(c), gone); err != nil {
		return err
	}
	return removeFlat(gone)
}

// Clear removes what is known of a container that was removed. The directory and its
// lock, which the caller holds, stay.
func (c ContainerDir) Clear() error {
	var errs []error
	for _, path := range append(c.AgentSockets(), c.file("made"), c.file("verified"), c.file("sources"), c.file("reverse"),
		c.file("kept"), c.file("owner"), c.file("owner.shut")) {
		errs = append(errs, unlink(path))
	}
	return errors.Join(errs...)
}

// removeFlat removes a container's directory, knowing what can be in it. It does not
// walk down: if a home is mounted in there still, it must not be emptied.
func removeFlat(dir string) error {
	if err := unlinkFiles(dir); err != nil {
		return err
	}
	if err := unlinkFiles(dir + "/in"); err != nil {
		return err
	}
	for _, sub := range []string{"/in", "/home", ""} {
		if err := unix.Rmdir(dir + sub); err != nil && !errors.Is(err, unix.ENOENT) {
			return &os.PathError{Op: "rmdir", Path: dir + sub, Err: err}
		}
	}
	return nil
}

// unlinkFiles unlinks everything in dir that is not a directory.
func unlinkFiles(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if err := unlink(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// unlink removes a name that may be gone already.
func unlink(path string) error {
	if err := unix.Unlink(path); err != nil && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "unlink", Path: path, Err: err}
	}
	return nil
}
