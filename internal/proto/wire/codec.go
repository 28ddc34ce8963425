package wire

import (
	"errors"
	"slices"
)

// MaxPacket is the largest packet in bytes. A unix socket with Linux's default
// buffer (net.core.wmem_default, 212992) carries it; a command line of 128 KiB,
// the kernel's own limit for one argument, fits.
const MaxPacket = 192 << 10

// MaxUserFile is the largest ~/.dockersh in bytes.
const MaxUserFile = 64 << 10

// MaxUserErr in bytes is more than any reason takes why a file cannot be read.
const MaxUserErr = 256

// MaxAuthInfo in bytes is more than sshd writes about a few keys of 16384 bits, the
// largest that there are.
const MaxAuthInfo = 16 << 10

// MaxCookies in bytes is more than sshd writes for a display.
const MaxCookies = 1 << 10

// MaxWords is how much of a command goes into the log, in bytes.
const MaxWords = 4 << 10

// MaxUser in bytes is the longest name of a user (LOGIN_NAME_MAX is 256), and MaxReason the
// longest reason of a Joined, which a module in C has room for.
const (
	MaxUser   = 256
	MaxReason = 512
)

// maxTermios in bytes is more than struct termios has on any architecture.
const maxTermios = 256

// maxNumbers is more than any counter is divided into.
const maxNumbers = 64

// The errors of Encode and Decode.
var (
	ErrTooLarge = errors.New("wire: packet too large")
	ErrMessage  = errors.New("wire: not a message of this protocol")
)

// codec writes or reads the fields of a message one after the other. The same calls
// serve both directions, so that these cannot disagree.
type codec struct {
	b       []byte
	reading bool
	bad     bool // what was read is not a message
}

// take returns the next n bytes.
func (c *codec) take(n int) []byte {
	if c.bad || n > len(c.b) {
		c.bad = true
		return nil
	}
	p := c.b[:n]
	c.b = c.b[n:]
	return p
}

func (c *codec) num(v uint32, size int) uint32 {
	if !c.reading {
		for i := range size {
			c.b = append(c.b, byte(v>>(8*i)))
		}
		return v
	}
	v = 0
	for i, x := range c.take(size) {
		v |= uint32(x) << (8 * i)
	}
	return v
}

func (c *codec) u8(v *uint8)   { *v = uint8(c.num(uint32(*v), 1)) }
func (c *codec) u16(v *uint16) { *v = uint16(c.num(uint32(*v), 2)) }
func (c *codec) u32(v *uint32) { *v = c.num(*v, 4) }

func (c *codec) u64(v *uint64) {
	low, high := uint32(*v), uint32(*v>>32)
	c.u32(&low)
	c.u32(&high)
	*v = uint64(high)<<32 | uint64(low)
}

// version handles the version of a message, and reports whether its other fields follow. Those
// of another version are not read: its sender is to learn why it is refused.
func (c *codec) version(v *uint16) bool {
	c.u16(v)
	if !c.reading || c.bad || *v == Version {
		return true
	}
	c.b = nil
	return false
}

// inherited handles what may be missing, with all that follows.
func (c *codec) inherited(v **Inherited) {
	if c.reading {
		if len(c.b) == 0 {
			return
		}
		*v = &Inherited{}
	}
	in := *v
	if in == nil {
		return
	}
	nice := uint8(in.Nice + 20)
	c.u16(&in.Umask)
	c.u8(&nice)
	in.Nice = int8(nice) - 20
	for i := range in.Limits {
		c.u64(&in.Limits[i].Soft)
		c.u64(&in.Limits[i].Hard)
	}
	if in.Umask > 0o777 || nice > 39 {
		c.bad = true
	}
}

// lastFlags handles groups of flags at the end of a message. The groups from the first one on in
// which, and behind which, no flag is set are missing: an older peer does not know them.
func (c *codec) lastFlags(groups ...[]*bool) {
	isSet := func(f *bool) bool { return *f }
	for i, flags := range groups {
		if c.reading && len(c.b) == 0 || !c.reading && !slices.ContainsFunc(slices.Concat(groups[i:]...), isSet) {
			return
		}
		for _, f := range flags {
			c.flag(f)
		}
		c.bad = c.bad || c.reading && len(c.b) == 0 && !slices.ContainsFunc(flags, isSet)
	}
}

func (c *codec) flag(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	c.u8(&n)
	if n > 1 {
		c.bad = true
	}
	*v = n == 1
}

// str handles a string without NUL bytes, which no argument, path or environment entry
// can have.
func (c *codec) str(v *string) { c.shortStr(v, MaxPacket) }

// shortStr is str with a limit of its own, in bytes.
func (c *codec) shortStr(v *string, most int) {
	n := c.num(uint32(len(*v)), 4)
	if !c.reading {
		c.b = append(c.b, *v...)
		return
	}
	if n > uint32(most) {
		c.bad = true
		return
	}
	*v = string(c.take(int(n)))
	for i := range len(*v) {
		if (*v)[i] == 0 {
			c.bad = true
		}
	}
}

func (c *codec) bytes(v *[]byte, most int) {
	n := c.num(uint32(len(*v)), 4)
	if !c.reading {
		c.b = append(c.b, *v...)
		return
	}
	if n > uint32(most) {
		c.bad = true
		return
	}
	*v = append([]byte(nil), c.take(int(n))...)
}

func (c *codec) list(v *[]string) {
	n := c.num(uint32(len(*v)), 4)
	if !c.reading {
		for i := range *v {
			c.str(&(*v)[i])
		}
		return
	}
	// Every string takes at least four bytes. A larger count is a lie, and must not
	// make us allocate memory.
	if int64(n)*4 > int64(len(c.b)) {
		c.bad = true
		return
	}
	*v = make([]string, n)
	for i := range *v {
		c.str(&(*v)[i])
	}
}

// numbers handles at most maxNumbers numbers.
func (c *codec) numbers(v *[]uint64) {
	n := c.num(uint32(len(*v)), 4)
	if c.reading {
		if n > maxNumbers {
			c.bad = true
			return
		}
		*v = make([]uint64, n)
	}
	for i := range *v {
		c.u64(&(*v)[i])
	}
}

// Encode returns the packet for m, or ErrTooLarge.
func Encode(m Message) ([]byte, error) {
	c := &codec{b: make([]byte, 0, 512)}
	c.b = append(c.b, byte(m.Kind()))
	m.fields(c)
	if len(c.b) > MaxPacket {
		return nil, ErrTooLarge
	}
	return c.b, nil
}

// Decode returns the message in a packet. The error is ErrTooLarge, or ErrMessage for an
// unknown kind, an invalid field, or bytes left over.
func Decode(p []byte) (Message, error) {
	if len(p) > MaxPacket {
		return nil, ErrTooLarge
	}
	if len(p) == 0 {
		return nil, ErrMessage
	}
	m := blank(Kind(p[0]))
	if m == nil {
		return nil, ErrMessage
	}
	c := &codec{b: p[1:], reading: true}
	m.fields(c)
	if c.bad || len(c.b) != 0 {
		return nil, ErrMessage
	}
	return m, nil
}
