package sftp

import (
	"errors"
	"io"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/container/files/handles"
)

// Codes of a status.
const (
	statusOK               = 0
	statusEOF              = 1
	statusNoSuchFile       = 2
	statusPermissionDenied = 3
	statusFailure          = 4
	statusBadMessage       = 5
	statusUnsupported      = 8
)

// statusText has the words of OpenSSH for each code.
var statusText = [...]string{"Success", "End of file", "No such file", "Permission denied", "Failure", "Bad message", "No connection",
	"Connection lost", "Operation unsupported"}

func status(id, code uint32) []byte {
	b := appendU32(newPacket(typeStatus), id)
	b = appendStr(appendU32(b, code), statusText[code])
	return finish(appendStr(b, ""))
}

// codeOf returns the code for an error, as OpenSSH does.
func codeOf(err error) uint32 {
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, io.EOF):
		return statusEOF
	case isOneOf(err, unix.ENOENT, unix.ENOTDIR, unix.EBADF, unix.ELOOP):
		return statusNoSuchFile
	case isOneOf(err, unix.EPERM, unix.EACCES, unix.EFAULT):
		return statusPermissionDenied
	case isOneOf(err, unix.ENAMETOOLONG, unix.EINVAL):
		return statusBadMessage
	}
	return statusFailure
}

func isOneOf(err error, errnos ...unix.Errno) bool {
	return slices.ContainsFunc(errnos, func(e unix.Errno) bool { return errors.Is(err, e) })
}

// Extensions that are answered here. The library answers the others.
const (
	extFsync      = "fsync@openssh.com"
	extLsetstat   = "lsetstat@openssh.com"
	extCopyData   = "copy-data"
	extLimits     = "limits@openssh.com"
	extExpandPath = "expand-path@openssh.com"
	extStatVFS    = "statvfs@openssh.com"
	extFstatVFS   = "fstatvfs@openssh.com"
	extHome       = "home-directory"
	extNames      = "users-groups-by-id@openssh.com"
)

// version answers the client's first packet.
func version() []byte {
	b := appendU32(newPacket(typeVersion), 3)
	for _, e := range [...][2]string{
		{"posix-rename@openssh.com", "1"}, {extStatVFS, "2"}, {extFstatVFS, "2"}, {"hardlink@openssh.com", "1"},
		{extFsync, "1"}, {extLsetstat, "1"}, {extCopyData, "1"}, {extLimits, "1"}, {extExpandPath, "1"}, {extHome, "1"}, {extNames, "1"},
	} {
		b = appendStr(appendStr(b, e[0]), e[1])
	}
	return finish(b)
}

// answer answers a request that the library does not know, or answers in another way than
// OpenSSH.
func (s *stream) answer(kind byte, extension string, id uint32, r *reader) []byte {
	var err error
	switch {
	case kind == typeOpen:
		return s.open(id, r)
	case kind == typeRead:
		return s.read(id, r)
	case kind == typeWrite:
		handle, offset, data := r.str(), r.u64(), r.bytes()
		if !r.bad {
			err = s.files.Write(handle, data, int64(offset))
		}
	case kind == typeClose:
		if handle := r.str(); !r.bad {
			err = s.files.Close(handle)
		}
	case kind == typeFstat:
		if handle := r.str(); !r.bad {
			return s.stat(id, handle)
		}
	case kind == typeFsetstat:
		handle, attrs := r.str(), r.attrs()
		if !r.bad {
			err = s.files.Set(handle, attrs)
		}
	case extension == extFsync:
		if handle := r.str(); !r.bad {
			err = s.files.Sync(handle)
		}
	case extension == extCopyData:
		err = s.copyData(r)
	case extension == extLsetstat:
		path, attrs := r.str(), r.attrs()
		if !r.bad {
			err = handles.SetLink(path, attrs)
		}
	case kind == typeMkdir:
		path, mode := r.str(), r.permissions(0o777)
		if !r.bad {
			err = unix.Mkdir(path, mode)
		}
	case kind == typeRename:
		from, to := r.str(), r.str()
		if !r.bad {
			err = rename(from, to)
		}
	case kind == typeRemove:
		path := r.str()
		if !r.bad {
			err = unix.Unlink(path)
		}
	case kind == typeRmdir:
		path := r.str()
		if !r.bad {
			err = unix.Rmdir(path)
		}
	case kind == typeRealpath:
		if path := r.str(); !r.bad {
			return resolved(id, path)
		}
	case extension == extExpandPath:
		if path := r.str(); !r.bad {
			if path, err = expand(path); err == nil {
				return resolved(id, path)
			}
		}
	case extension == extHome:
		if name := r.str(); !r.bad {
			return homeDirectory(id, name)
		}
	case extension == extNames:
		uids, gids := r.bytes(), r.bytes()
		if !r.bad && len(uids)%4 == 0 && len(gids)%4 == 0 {
			return namesByID(id, uids, gids)
		}
		r.bad = true
	case extension == extStatVFS:
		if path := r.str(); !r.bad {
			var st unix.Statfs_t
			err = unix.Statfs(path, &st)
			return statVFS(id, &st, err)
		}
	case extension == extFstatVFS:
		if handle := r.str(); !r.bad {
			st, err := s.files.StatFS(handle)
			return statVFS(id, &st, err)
		}
	case extension == extLimits:
		return limits(id)
	default:
		return status(id, statusUnsupported)
	}
	if r.bad {
		return status(id, statusBadMessage)
	}
	return status(id, codeOf(err))
}

// rename changes the name of a file, to one that nothing has yet.
func rename(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	var st unix.Stat_t // this file system cannot look and rename in one step
	if unix.Lstat(to, &st) == nil {
		return unix.EEXIST
	}
	return unix.Rename(from, to)
}

// resolved answers with a path without links; its last part need not exist.
func resolved(id uint32, path string) []byte {
	path, err := filepath.Abs(path)
	if err != nil {
		return status(id, codeOf(err))
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, unix.ENOENT) {
		var dir string
		if dir, err = filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			real = filepath.Join(dir, filepath.Base(path))
		}
	}
	if err != nil {
		return status(id, codeOf(err))
	}
	return oneName(id, real)
}

// oneName answers with a path.
func oneName(id uint32, path string) []byte {
	b := appendU32(appendU32(newPacket(typeName), id), 1)
	return finish(appendU32(appendStr(appendStr(b, path), path), 0))
}

// statVFS answers with the figures of a file system. Of its flags, only those are sent that
// the protocol has: read-only, and no setuid programs.
func statVFS(id uint32, st *unix.Statfs_t, err error) []byte {
	if err != nil {
		return status(id, codeOf(err))
	}
	b := appendU32(newPacket(typeExtendedReply), id)
	for _, n := range []uint64{
		uint64(st.Bsize), uint64(st.Frsize), st.Blocks, st.Bfree, st.Bavail, st.Files, st.Ffree, st.Ffree,
		uint64(uint32(st.Fsid.Val[0])) | uint64(uint32(st.Fsid.Val[1]))<<32,
		uint64(st.Flags) & (unix.ST_RDONLY | unix.ST_NOSUID), uint64(st.Namelen),
	} {
		b = appendU64(b, n)
	}
	return finish(b)
}

// limits answers how long packets may be: clients send as long ones as they may.
func limits(id uint32) []byte {
	files := uint64(0) // unknown
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil && l.Cur > reserved {
		files = l.Cur - reserved
	}
	b := appendU32(newPacket(typeExtendedReply), id)
	for _, n := range []uint64{maxPacket, maxData, maxData, files} {
		b = appendU64(b, n)
	}
	return finish(b)
}

const (
	// maxData is the most that a client may read or write at once, as with OpenSSH.
	maxData = 255 << 10
	// reserved is how many descriptors this program needs for itself.
	reserved = 16
)
