package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/paths"
)

// runDir returns the run-time directory of a broker of uid: root's, or one that belongs
// to the user alone until the next boot.
func runDir(uid int) (string, error) {
	if uid == 0 {
		return paths.Run, nil
	}
	dirs := paths.OwnRuns(strconv.Itoa(uid))
	if checkPrivateDir(filepath.Dir(dirs[0]), uid) == nil {
		return dirs[0], nil
	}
	return dirInTmp(dirs[1], uid)
}

// settleTime is longer than a broker takes between looking for a directory and making one.
const settleTime = 100 * time.Millisecond

// dirInTmp returns the directory of a user in /tmp, where anybody may have taken any name
// first. All brokers of the user must find the same one: it is name if that is the user's,
// else one whose name continues so that nobody can guess it.
func dirInTmp(name string, uid int) (string, error) {
	err := checkPrivateDir(name, uid)
	switch {
	case err == nil || errors.Is(err, errOpenDir):
		return name, err
	case errors.Is(err, fs.ErrNotExist):
		// Whoever had it may have removed it since, and the user has another one.
		if dir, ok := furtherDir(name, uid); ok {
			return dir, nil
		}
		err := os.Mkdir(name, 0o700)
		if err == nil {
			return name, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		if checkPrivateDir(name, uid) == nil { // another broker of the user made it just now
			return name, nil
		}
	}
	if dir, ok := furtherDir(name, uid); ok {
		return dir, nil
	}
	made, err := os.MkdirTemp(filepath.Dir(name), filepath.Base(name)+"-*")
	if err != nil {
		return "", err
	}
	dir, ok := furtherDir(name, uid)
	if !ok {
		return "", fmt.Errorf("%s was removed", made)
	}
	if dir != made {
		_ = os.Remove(made) // another broker of the user made one just now
	}
	return dir, nil
}

// furtherDir returns the first of the directories of the user alone whose names continue
// name. It waits until none of them is so young that another broker may be making one too,
// for a second at most: what is young may also be in use.
func furtherDir(name string, uid int) (first string, ok bool) {
	for end := time.Now().Add(time.Second); ; time.Sleep(settleTime) {
		all, _ := filepath.Glob(name + "-*") // fails only on a bad pattern
		all = slices.DeleteFunc(all, func(dir string) bool { return checkPrivateDir(dir, uid) != nil })
		if len(all) == 0 {
			return "", false
		}
		if !slices.ContainsFunc(all, isYoung) || time.Now().After(end) {
			return slices.Min(all), true
		}
	}
}

func isYoung(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && time.Since(info.ModTime()).Abs() < settleTime
}

// errOpenDir is returned for a directory of the user that others can enter.
var errOpenDir = errors.New("nobody else may enter it: chmod 700")

// checkPrivateDir refuses what is not a directory of uid alone: errOpenDir, fs.ErrNotExist,
// or fs.ErrExist for what is another's.
func checkPrivateDir(dir string, uid int) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: dir, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != uid {
		return fmt.Errorf("%s is not a directory of user %d: %w", dir, uid, fs.ErrExist)
	}
	if st.Mode&0o077 != 0 {
		return fmt.Errorf("%s: %w", dir, errOpenDir)
	}
	return nil
}
