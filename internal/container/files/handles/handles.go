// Package handles has the files that a client of sftp has open, and does with them what
// OpenSSH's sftp-server does.
package handles

import (
	"errors"
	"io"
	"strconv"

	"golang.org/x/sys/unix"
)

// Table has open files by their handles. The zero Table has none.
type Table struct {
	files map[string]int // descriptors
	last  uint64
}

// Open opens a file with flags and mode as of open(2), and returns its handle.
func (t *Table) Open(name string, flags int, mode uint32) (handle string, err error) {
	fd, err := retry(func() (int, error) { return unix.Open(name, flags|unix.O_CLOEXEC|unix.O_NOCTTY, mode) })
	if err != nil {
		return "", err
	}
	if t.files == nil {
		t.files = map[string]int{}
	}
	t.last++
	handle = "f" + strconv.FormatUint(t.last, 10)
	t.files[handle] = fd
	return handle, nil
}

// Has reports whether a handle is that of an open file.
func (t *Table) Has(handle string) bool {
	_, ok := t.files[handle]
	return ok
}

// fd returns the descriptor of a file, or one that no system call takes.
func (t *Table) fd(handle string) int {
	if fd, ok := t.files[handle]; ok {
		return fd
	}
	return -1
}

// Close closes a file. Its handle is invalid afterwards, whatever the error.
func (t *Table) Close(handle string) error {
	fd := t.fd(handle)
	delete(t.files, handle)
	return unix.Close(fd)
}

// CloseAll closes all files.
func (t *Table) CloseAll() {
	for handle := range t.files {
		_ = t.Close(handle)
	}
}

// Read reads from a place of a file. At the end of the file the error is io.EOF.
func (t *Table) Read(handle string, p []byte, offset int64) (int, error) {
	n, err := retry(func() (int, error) { return unix.Pread(t.fd(handle), p, offset) })
	if err == nil && n == 0 && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

// Write writes everything to a place of a file, or to its end if it was opened with
// O_APPEND.
func (t *Table) Write(handle string, p []byte, offset int64) error {
	for {
		n, err := retry(func() (int, error) { return unix.Pwrite(t.fd(handle), p, offset) })
		if err != nil || n == len(p) {
			return err
		}
		p, offset = p[n:], offset+int64(n)
	}
}

// Stat returns the attributes of a file.
func (t *Table) Stat(handle string) (st unix.Stat_t, err error) {
	err = unix.Fstat(t.fd(handle), &st)
	return st, err
}

// StatFS returns the figures of the file system that a file is on.
func (t *Table) StatFS(handle string) (st unix.Statfs_t, err error) {
	err = unix.Fstatfs(t.fd(handle), &st)
	return st, err
}

// Sync waits until the data of a file is on its disk.
func (t *Table) Sync(handle string) error { return unix.Fsync(t.fd(handle)) }

// Copy copies length bytes from one file to another, or all until the end if length is 0,
// by way of buffer. If the file ends before that, the error is io.EOF. A file is not copied
// into itself, which might not end.
func (t *Table) Copy(from string, fromOffset int64, length uint64, to string, toOffset int64, buffer []byte) error {
	source, err := t.Stat(from)
	if err != nil {
		return err
	}
	target, err := t.Stat(to)
	if err != nil {
		return err
	}
	if source.Dev == target.Dev && source.Ino == target.Ino {
		return unix.EEXIST
	}
	for toEnd := length == 0; toEnd || length > 0; {
		chunk := buffer
		if !toEnd {
			chunk = buffer[:min(uint64(len(buffer)), length)]
		}
		n, err := t.Read(from, chunk, fromOffset)
		if toEnd && errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = t.Write(to, chunk[:n], toOffset)
		}
		if err != nil {
			return err
		}
		fromOffset, toOffset, length = fromOffset+int64(n), toOffset+int64(n), length-uint64(n)
	}
	return nil
}

// retry calls a system call until no signal interrupts it.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
