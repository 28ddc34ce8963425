package sftp

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/dockersh/dockersh/internal/container/files/handles"
)

// Types of packets, of version 3 of the protocol (draft-ietf-secsh-filexfer-02).
const (
	typeInit          = 1
	typeVersion       = 2
	typeOpen          = 3
	typeClose         = 4
	typeRead          = 5
	typeWrite         = 6
	typeLstat         = 7
	typeFstat         = 8
	typeSetstat       = 9
	typeFsetstat      = 10
	typeOpendir       = 11
	typeReaddir       = 12
	typeRemove        = 13
	typeMkdir         = 14
	typeRmdir         = 15
	typeRealpath      = 16
	typeStat          = 17
	typeRename        = 18
	typeReadlink      = 19
	typeSymlink       = 20
	typeStatus        = 101
	typeHandle        = 102
	typeData          = 103
	typeName          = 104
	typeAttrs         = 105
	typeExtended      = 200
	typeExtendedReply = 201
)

// Flags of attributes.
const (
	attrSize        = 1
	attrUIDGID      = 2
	attrPermissions = 4
	attrTimes       = 8
)

// maxPacket is the longest packet that is taken, without its length. The library and
// OpenSSH have the same limit.
const maxPacket = 256 << 10

// reader takes fields from a packet. A field that is not there sets bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || uint64(len(r.b)) < n {
		r.bad = true
		return nil
	}
	field := r.b[:n]
	r.b = r.b[n:]
	return field
}

func (r *reader) u32() uint32 {
	if field := r.take(4); field != nil {
		return binary.BigEndian.Uint32(field)
	}
	return 0
}

func (r *reader) u64() uint64 {
	if field := r.take(8); field != nil {
		return binary.BigEndian.Uint64(field)
	}
	return 0
}

func (r *reader) bytes() []byte { return r.take(uint64(r.u32())) }

func (r *reader) str() string { return string(r.bytes()) }

// attrs takes attributes. Those that the protocol lets others add end a packet, and are
// ignored.
func (r *reader) attrs() (a handles.Attrs) {
	flags := r.u32()
	if a.HasSize = flags&attrSize != 0; a.HasSize {
		a.Size = r.u64()
	}
	if a.HasOwner = flags&attrUIDGID != 0; a.HasOwner {
		a.UID, a.GID = r.u32(), r.u32()
	}
	if a.HasMode = flags&attrPermissions != 0; a.HasMode {
		a.Mode = r.u32() & 0o7777
	}
	if a.HasTimes = flags&attrTimes != 0; a.HasTimes {
		a.ATime, a.MTime = r.u32(), r.u32()
	}
	return a
}

// permissions takes attributes, of which only the permissions count when a file or a
// directory is made; otherwise is the mode where there are none.
func (r *reader) permissions(otherwise uint32) uint32 {
	if a := r.attrs(); a.HasMode {
		return a.Mode
	}
	return otherwise
}

// appendAttrs appends the attributes of a file.
func appendAttrs(b []byte, st *unix.Stat_t) []byte {
	b = appendU64(appendU32(b, attrSize|attrUIDGID|attrPermissions|attrTimes), uint64(st.Size))
	for _, n := range [...]uint32{st.Uid, st.Gid, st.Mode, uint32(st.Atim.Sec), uint32(st.Mtim.Sec)} {
		b = appendU32(b, n)
	}
	return b
}

// newPacket begins a packet; finish sets its length.
func newPacket(kind byte) []byte { return []byte{0, 0, 0, 0, kind} }

func appendU32(b []byte, n uint32) []byte { return binary.BigEndian.AppendUint32(b, n) }

func appendU64(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }

func appendStr(b []byte, s string) []byte { return append(appendU32(b, uint32(len(s))), s...) }

func finish(b []byte) []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}
