package sftp

import (
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/sys/unix"
)

// Flags of a request to open a file.
const (
	openRead   = 0x01
	openWrite  = 0x02
	openAppend = 0x04
	openCreate = 0x08
	openTrunc  = 0x10
	openExcl   = 0x20
)

// open answers a request to open a file. Where the client names no permissions for a new one,
// they are those of OpenSSH.
func (s *stream) open(id uint32, r *reader) []byte {
	path, wanted := r.str(), r.u32()
	mode := r.permissions(0o666)
	if r.bad {
		return status(id, statusBadMessage)
	}
	if s.o.readOnly && wanted&(openWrite|openCreate|openTrunc) != 0 {
		return status(id, statusPermissionDenied)
	}
	flags := unix.O_RDONLY
	switch {
	case wanted&openWrite == 0:
	case wanted&openRead != 0:
		flags = unix.O_RDWR
	default:
		flags = unix.O_WRONLY
	}
	for _, f := range [...]struct {
		wanted uint32
		flag   int
	}{{openAppend, unix.O_APPEND}, {openCreate, unix.O_CREAT}, {openTrunc, unix.O_TRUNC}, {openExcl, unix.O_EXCL}} {
		if wanted&f.wanted != 0 {
			flags |= f.flag
		}
	}
	handle, err := s.files.Open(path, flags, mode)
	if err != nil {
		return status(id, codeOf(err))
	}
	return finish(appendStr(appendU32(newPacket(typeHandle), id), handle))
}

// read answers a request to read from a file. The answer takes the place of the request.
func (s *stream) read(id uint32, r *reader) []byte {
	const head = 4 + 1 + 4 + 4
	handle, offset, length := r.str(), r.u64(), r.u32()
	if r.bad {
		return status(id, statusBadMessage)
	}
	n, err := s.files.Read(handle, s.buf[head:head+min(length, maxData)], int64(offset))
	if errors.Is(err, io.EOF) {
		return status(id, statusEOF)
	}
	if err != nil {
		return status(id, codeOf(err))
	}
	s.buf[4] = typeData
	binary.BigEndian.PutUint32(s.buf[5:], id)
	binary.BigEndian.PutUint32(s.buf[9:], uint32(n))
	return finish(s.buf[:head+n])
}

// stat answers a request for the attributes of an open file.
func (s *stream) stat(id uint32, handle string) []byte {
	st, err := s.files.Stat(handle)
	if err != nil {
		return status(id, codeOf(err))
	}
	return finish(appendAttrs(appendU32(newPacket(typeAttrs), id), &st))
}

// copyData answers a request of copy-data (draft-ietf-secsh-filexfer-extensions-00).
func (s *stream) copyData(r *reader) error {
	from, fromOffset, length := r.str(), r.u64(), r.u64()
	to, toOffset := r.str(), r.u64()
	if r.bad {
		return nil
	}
	return s.files.Copy(from, int64(fromOffset), length, to, int64(toOffset), s.buf)
}
