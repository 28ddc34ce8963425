package recordings

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// atOnce is how many names of a directory are read at once: there may be millions.
const atOnce = 1024

// Walk calls visit for each directory of the place that can have recordings in it, and closes it
// then. It follows no link below Dir, and leaves out what others than root can change. The error is
// the first of all.
func (p Place) Walk(ctx context.Context, visit func(dir *os.File) error) error {
	dir, err := openDir(unix.AT_FDCWD, p.Dir, "", 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	return walk(ctx, dir, p.patterns[:len(p.patterns)-1], visit)
}

func walk(ctx context.Context, dir *os.File, patterns []string, visit func(*os.File) error) error {
	defer dir.Close()
	if len(patterns) == 0 {
		return visit(dir)
	}
	var failed error // the first error: one directory that cannot be read keeps no other from its turn
	err := eachName(ctx, dir, func(name string) error {
		if matches, _ := path.Match(patterns[0], name); !matches {
			return nil
		}
		sub, err := openDir(int(dir.Fd()), name, dir.Name()+"/", unix.O_NOFOLLOW)
		if err != nil {
			return nil // it is no directory of ours, or no directory
		}
		failed = cmp.Or(failed, walk(ctx, sub, patterns[1:], visit))
		return nil
	})
	return cmp.Or(failed, err)
}

var errNotOurs = errors.New("it can be changed by others than root")

// openDir opens a directory that only root can change.
func openDir(at int, name, above string, flags int) (*os.File, error) {
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: above + name, Err: err}
	}
	dir := os.NewFile(uintptr(fd), above+name)
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && (st.Uid != uint32(os.Geteuid()) || st.Mode&0o022 != 0) {
		err = errNotOurs
	}
	if err != nil {
		_ = dir.Close()
		return nil, &os.PathError{Op: "open", Path: dir.Name(), Err: err}
	}
	return dir, nil
}

// Files calls visit for each regular file in a directory.
func Files(ctx context.Context, dir *os.File, visit func(name string, st *unix.Stat_t)) error {
	return eachName(ctx, dir, func(name string) error {
		var st unix.Stat_t
		if unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG {
			visit(name, &st)
		}
		return nil
	})
}

// eachName calls visit for each name in a directory, from its beginning.
func eachName(ctx context.Context, dir *os.File, visit func(string) error) error {
	if _, err := dir.Seek(0, io.SeekStart); err != nil {
		return err
	}
	for {
		names, err := dir.Readdirnames(atOnce)
		for _, name := range names {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := visit(name); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, unix.ENOENT) { // the directory was removed
			return nil
		}
		if err != nil {
			return err
		}
	}
}
