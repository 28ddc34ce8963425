package scp

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/host/sys"
)

// sink takes files from the client.
type sink struct {
	*peer
	*options
	mask   uint32
	access unix.Timeval // of the next file or directory
	change unix.Timeval
	timed  bool // they are known
}

// dir is a directory that files are put into. It stays the same one, whatever its name
// becomes meanwhile: names are looked up in it, and only one at a time.
type dir struct {
	fd   int
	path string // for messages
}

// openDir opens a directory below another, or below the working directory.
func openDir(at int, name, path string, flags int) (dir, error) {
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flags, 0)
	return dir{fd, path}, err
}

func (d dir) close() { _ = unix.Close(d.fd) }

// join returns the path of a name in d, for messages.
func (d dir) join(name string) string {
	if d.path == "" {
		return name
	}
	return d.path + "/" + name
}

// run takes everything that the client sends into target: a directory, or the name of the
// one file or directory that comes.
func (s *sink) run(target string) error {
	if target == "" {
		target = "."
	}
	as := ""
	into, err := openDir(unix.AT_FDCWD, target, target, 0)
	switch {
	case err == nil:
		defer into.close()
	case s.directory:
		return errors.New(target + ": " + reason(err))
	default:
		into, as = dir{fd: unix.AT_FDCWD}, target
	}
	if err := s.take(into, as); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// take takes what belongs into one directory. If as is not empty, it is the name that
// everything gets, instead of its own.
func (s *sink) take(into dir, as string) error {
	if err := s.sendOK(); err != nil {
		return err
	}
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return err // io.EOF is the end
		}
		switch c {
		case 1, 2:
			if err := s.complaint(c); err != nil {
				return err
			}
			continue
		case '\n':
			return errors.New("protocol error: unexpected <newline>")
		}
		line, err := s.readLine(c)
		if err != nil {
			return err
		}
		switch c {
		case 'E':
			return s.sendOK()
		case 'T':
			if s.access, s.change, err = parseTimes(line); err == nil {
				s.timed = true
				err = s.sendOK()
			}
		default:
			var what control
			if what, err = parseControl(line); err == nil {
				err = s.takeOne(into, as, what)
			}
		}
		if err != nil {
			return err
		}
	}
}

// takeOne takes a file, or a directory with what is in it.
func (s *sink) takeOne(into dir, as string, what control) error {
	timed := s.timed
	s.timed = false
	name := what.name
	if as != "" {
		name = as
	}
	if !s.preserve {
		what.mode &^= s.mask
	}
	if what.kind == 'C' {
		return s.takeFile(into, name, what, timed)
	}
	if !s.recursive {
		return errors.New("received directory without -r")
	}
	access, change := s.access, s.change
	made, isNew, err := makeDir(into, name, what.mode)
	if err != nil {
		s.sendError(into.join(name) + ": " + reason(err))
		return nil
	}
	defer made.close()
	// It ends with E, and not with the connection.
	if err := s.take(made, ""); err != nil {
		return unexpected(err)
	}
	if timed {
		if err := setTimes(made.fd, access, change); err != nil {
			s.sendError(made.path + ": set times: " + reason(err))
		}
	}
	if s.preserve || isNew {
		if err := unix.Fchmod(made.fd, what.mode); err != nil {
			s.sendError(made.path + ": set mode: " + reason(err))
		}
	}
	return nil
}

// makeDir makes a directory that the user can write, or opens the one that is there. A
// directory that was just made is not a link, even if another user was quick.
func makeDir(into dir, name string, mode uint32) (made dir, isNew bool, err error) {
	flags := 0
	err = unix.Mkdirat(into.fd, name, mode|unix.S_IRWXU)
	if isNew = err == nil; isNew {
		flags = unix.O_NOFOLLOW
	} else if !errors.Is(err, unix.EEXIST) {
		return dir{}, false, err
	}
	made, err = openDir(into.fd, name, into.join(name), flags)
	return made, isNew, err
}

// takeFile takes a file. If it cannot be written, its bytes are read all the same, so that
// the connection can go on.
func (s *sink) takeFile(into dir, name string, what control, timed bool) error {
	path := into.join(name)
	var before unix.Stat_t
	existed := unix.Fstatat(into.fd, name, &before, 0) == nil
	fd, err := unix.Openat(into.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOCTTY, what.mode|unix.S_IWUSR)
	if err != nil {
		s.sendError(path + ": " + reason(err))
		return nil // the client sends no bytes then
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	if err := s.sendOK(); err != nil {
		return err
	}
	failure, err := s.copyIn(f, what.size)
	if err != nil {
		return err
	}
	if failure == nil {
		failure = finishFile(fd, what, existed, s.preserve, &before)
	}
	ok, err := s.await()
	if err != nil {
		return err
	}
	if ok && timed && failure == nil {
		failure = setTimes(fd, s.access, s.change)
	}
	if failure != nil {
		s.sendError(path + ": " + reason(failure))
		return nil
	}
	return s.sendOK()
}

// copyIn copies size bytes into a file. failure is why the file could not be written.
func (s *sink) copyIn(f *os.File, size int64) (failure, err error) {
	to := &writer{f: f}
	n, err := io.CopyBuffer(to, io.LimitReader(s.in, size), make([]byte, min(bufferSize, max(size, 1))))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	return to.err, err
}

// writer writes until an error, and takes the rest without one.
type writer struct {
	f     *os.File
	err   error
	slice sys.TimeSlice
}

func (w *writer) Write(p []byte) (int, error) {
	w.slice.Renew()
	if w.err == nil {
		_, w.err = w.f.Write(p)
	}
	return len(p), nil
}

// finishFile cuts what an older file had more, and sets the mode.
func finishFile(fd int, what control, existed, preserve bool, before *unix.Stat_t) error {
	if !existed || before.Mode&unix.S_IFMT == unix.S_IFREG {
		if err := unix.Ftruncate(fd, what.size); err != nil {
			return err
		}
	}
	if preserve || !existed && what.mode&unix.S_IWUSR == 0 {
		return unix.Fchmod(fd, what.mode)
	}
	return nil
}

// setTimes sets the times of an open file.
func setTimes(fd int, access, change unix.Timeval) error {
	return unix.Futimes(fd, []unix.Timeval{access, change})
}
