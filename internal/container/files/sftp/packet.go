package sftp

import "encoding/binary"

// Types of packets, of version 3 of the protocol (draft-ietf-secsh-filexfer-02).
const (
	typeInit          = 1
	typeVersion       = 2
	typeOpen          = 3
	typeWrite         = 6
	typeSetstat       = 9
	typeFsetstat      = 10
	typeRemove        = 13
	typeMkdir         = 14
	typeRmdir         = 15
	typeRealpath      = 16
	typeRename        = 18
	typeSymlink       = 20
	typeStatus        = 101
	typeName          = 104
	typeExtended      = 200
	typeExtendedReply = 201
)

// Flags of attributes.
const (
	attrSize        = 1
	attrUIDGID      = 2
	attrPermissions = 4
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

func (r *reader) str() string { return string(r.take(uint64(r.u32()))) }

// permissions takes attributes, of which only the permissions count when a file or a
// directory is made; otherwise is the mode where there are none.
func (r *reader) permissions(otherwise uint32) uint32 {
	flags := r.u32()
	if flags&attrSize != 0 {
		r.take(8)
	}
	if flags&attrUIDGID != 0 {
		r.take(8)
	}
	if flags&attrPermissions == 0 {
		return otherwise
	}
	return r.u32() & 0o7777
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
