package scp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// source sends files to the client.
type source struct {
	*peer
	*options
}

// run sends the files that the client named. The shell has expanded its patterns.
func (s *source) run(paths []string) error {
	if ok, err := s.await(); err != nil || !ok {
		return err
	}
	for _, p := range paths {
		if err := s.sendPath(unix.AT_FDCWD, p, p); err != nil {
			return err
		}
	}
	return nil
}

// sendPath sends a file or a directory. Something that cannot be sent is an error that the
// client learns of; the connection goes on.
func (s *source) sendPath(at int, name, shown string) error {
	// No FIFO and no terminal holds us up.
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		s.sendError(shown + ": " + reason(err))
		return nil
	}
	_ = unix.SetNonblock(fd, false)
	f := os.NewFile(uintptr(fd), shown)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		s.sendError(shown + ": " + reason(err))
		return nil
	}
	switch kind := st.Mode & unix.S_IFMT; {
	case kind == unix.S_IFREG:
		return s.sendFile(f, base(shown), &st)
	case kind == unix.S_IFDIR && s.recursive && len(shown) < maxLine:
		return s.sendDir(f, base(shown), &st)
	}
	s.sendError(shown + ": not a regular file")
	return nil
}

// base returns the last name of a path, as one line: a newline in it is written as vis(3)
// does.
func base(p string) string {
	name := path.Base(p)
	if strings.Contains(name, "\n") {
		return strings.NewReplacer(`\`, `\\`, "\n", `\^J`).Replace(name)
	}
	return name
}

// announce sends a line, with the times before it, and reports whether the client takes what
// it is about.
func (s *source) announce(st *unix.Stat_t, line string) (ok bool, err error) {
	if s.preserve {
		if err := s.send(fmt.Sprintf("T%d 0 %d 0\n", max(st.Mtim.Sec, 0), max(st.Atim.Sec, 0))); err != nil {
			return false, err
		}
		if ok, err := s.await(); err != nil || !ok {
			return false, err
		}
	}
	if err := s.send(line); err != nil {
		return false, err
	}
	return s.await()
}

func (s *source) sendFile(f *os.File, name string, st *unix.Stat_t) error {
	ok, err := s.announce(st, fmt.Sprintf("C%04o %d %s\n", st.Mode&0o7777, st.Size, name))
	if err != nil || !ok {
		return err
	}
	failure, err := s.copyOut(f, st.Size)
	if err != nil {
		return err
	}
	if failure != nil {
		s.sendError(f.Name() + ": " + reason(failure))
	} else if err := s.sendOK(); err != nil {
		return err
	}
	_, err = s.await()
	return err
}

// copyOut sends as many bytes as were announced: zeros in place of what cannot be read any
// more. failure is why.
func (s *source) copyOut(f *os.File, size int64) (failure, err error) {
	b := make([]byte, min(bufferSize, size))
	var slice sys.TimeSlice
	for size > 0 {
		slice.Renew()
		n := int(min(int64(len(b)), size))
		if failure == nil {
			var got int
			if got, failure = io.ReadFull(f, b[:n]); failure != nil {
				clear(b[got:])
			}
		} else {
			clear(b)
		}
		if _, err := s.out.Write(b[:n]); err != nil {
			return failure, err
		}
		size -= int64(n)
	}
	if errors.Is(failure, io.EOF) || errors.Is(failure, io.ErrUnexpectedEOF) {
		failure = errors.New("the file became shorter")
	}
	return failure, nil
}

// atOnce is how many names of a directory are read at once.
const atOnce = 256

func (s *source) sendDir(f *os.File, name string, st *unix.Stat_t) error {
	ok, err := s.announce(st, fmt.Sprintf("D%04o 0 %s\n", st.Mode&0o7777, name))
	if err != nil || !ok {
		return err
	}
	for {
		names, err := f.Readdirnames(atOnce)
		for _, n := range names {
			if err := s.sendPath(int(f.Fd()), n, f.Name()+"/"+n); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.sendError(f.Name() + ": " + reason(err))
			break
		}
	}
	if err := s.send("E\n"); err != nil {
		return err
	}
	_, err = s.await()
	return err
}
