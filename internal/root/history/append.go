package history

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Append writes a record to the end of the file, which it opens for that alone:
// so the file may be moved away at any time. The directory is made if only it is
// missing, and must be the caller's alone.
func Append(path string, r Record) error {
	dir, err := openDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	fd, err := unix.Openat(dir, filepath.Base(path), unix.O_RDWR|unix.O_APPEND|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("%s is no file", path)
	}
	line := encode(r)
	if st.Size > 0 {
		// The last write may have been cut off, by a full disk or with its host.
		var last [1]byte
		if _, err := unix.Pread(fd, last[:], st.Size-1); err == nil && last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	n, err := unix.Write(fd, line) // one call: lines of several writers do not mix
	if err == nil && n < len(line) {
		err = unix.ENOSPC
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// openDir opens the directory of the file. Others may write beside it (/var/log
// is the system log's on some hosts), but not put another in its place.
func openDir(path string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Open(path, flags, 0)
	if err == unix.ENOENT {
		if err := unix.Mkdir(path, 0o700); err != nil && err != unix.EEXIST {
			return -1, fmt.Errorf("%s: %w", path, err)
		}
		fd, err = unix.Open(path, flags, 0)
	}
	if err != nil {
		return -1, fmt.Errorf("%s: %w", path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	if int(st.Uid) != unix.Geteuid() || st.Mode&0o077 != 0 {
		_ = unix.Close(fd)
		return -1, errors.New(path + " must be root's alone (chown root, chmod 700)")
	}
	return fd, nil
}
