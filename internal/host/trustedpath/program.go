package trustedpath

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Program returns an error unless path is a program that only root can have put
// there and changed, links followed: it is about to be run with root's rights.
func Program(path string) error {
	program, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	fi, err := os.Lstat(program)
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() || fi.Mode()&0o111 == 0 {
		return errors.New(program + " is not a program")
	}
	if err := ownedByRoot(program, fi, 0o022); err != nil {
		return err
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(program)} {
		for ; ; dir = filepath.Dir(dir) {
			// Not 022: Debian's /usr/local is writable for its group staff.
			if err := Owned(dir, 0o002); err != nil {
				return err
			}
			if dir == "/" {
				break
			}
		}
	}
	return nil
}

// Owned returns an error unless the file or directory at path belongs to root and
// has none of the permission bits in without. Names on the way to it are not
// looked at.
func Owned(path string, without fs.FileMode) error {
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	return ownedByRoot(path, fi, without)
}

func ownedByRoot(path string, fi fs.FileInfo, without fs.FileMode) error {
	if st, ok := fi.Sys().(*syscall.Stat_t); !ok || st.Uid != 0 {
		return errors.New(path + " does not belong to root")
	}
	switch open := fi.Mode().Perm() & without; {
	case open&0o022 != 0:
		return errors.New(path + " can be written by others than root")
	case open != 0:
		return errors.New(path + " can be read by others than root")
	}
	return nil
}
