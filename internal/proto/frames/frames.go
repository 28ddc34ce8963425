// Package frames carries a session over one stream of bytes, where no descriptor can be passed: the
// messages of the protocol between a front and an agent, and the bytes that would go through the
// descriptors of the session. A frame is its kind, its length in three bytes, and its data.
//
// The client closes the stream: a kubelet and an API server drop what they have not passed on when the
// program at the other end of an exec ends.
package frames

import (
	"errors"
	"time"
)

// Kind is what a frame has.
type Kind byte

// To an agent go messages, Input, its End, Size and Alive; back come messages, Output, Errors and Opened.
// Both send Taken, Bytes, Shut and Got.
const (
	Message Kind = 'm' // of package wire, without descriptors
	Input   Kind = 'i'
	End     Kind = 'e' // of the input
	Size    Kind = 's' // of the terminal: rows and columns, two bytes each
	Alive   Kind = 'a' // the client is there
	Output  Kind = 'o'
	Errors  Kind = 'x'
	Taken   Kind = 't' // so many bytes of Input, or of Output and Errors, were passed on: four bytes

	// Of a connection beside the session, whose number comes first, in four bytes.
	Opened Kind = 'c' // a program in the container made it
	Bytes  Kind = 'b'
	Shut   Kind = 'h' // no more Bytes will come
	Got    Kind = 'g' // so many Bytes were passed on: four bytes
)

const (
	// MaxData is the longest Input, Output or Errors that is sent, in bytes.
	MaxData = 32 << 10
	// maxFrame is more than any message has (wire.MaxPacket).
	maxFrame = 256 << 10
	// Window is how many bytes may be on their way in each direction before some are Taken.
	Window = 1 << 20
	// TerminalWindow is that of a terminal's output: what is on its way is still shown after a Ctrl-C.
	TerminalWindow = 256 << 10
	// AliveEach is how often a client sends Alive, and AliveLimit how long an agent waits for
	// anything of a client. A host that loses its power closes nothing.
	AliveEach, AliveLimit = 15 * time.Second, time.Minute

	header = 4
)

// ErrFrame is returned for what is not a frame, or not one that may come.
var ErrFrame = errors.New("a damaged frame")

// Append appends a frame to b.
func Append(b []byte, k Kind, data []byte) []byte {
	n := len(data)
	return append(append(b, byte(k), byte(n>>16), byte(n>>8), byte(n)), data...)
}

// Number returns a number as four bytes.
func Number(n uint32) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }

// ParseNumber reads it; ErrFrame.
func ParseNumber(data []byte) (uint32, error) {
	if len(data) != 4 {
		return 0, ErrFrame
	}
	return uint32(data[0])<<24 | uint32(data[1])<<16 | uint32(data[2])<<8 | uint32(data[3]), nil
}

// Reader takes a stream apart.
type Reader struct{ rest []byte }

// Feed calls each with every frame that is complete with these bytes. It keeps a copy of the rest.
// ErrFrame, or the error of each.
func (r *Reader) Feed(p []byte, each func(k Kind, data []byte) error) error {
	r.rest = append(r.rest, p...)
	all := r.rest
	for len(all) >= header {
		n := int(all[1])<<16 | int(all[2])<<8 | int(all[3])
		if n > maxFrame || !known(Kind(all[0])) {
			return ErrFrame
		}
		if len(all) < header+n {
			break
		}
		if err := each(Kind(all[0]), all[header:header+n]); err != nil {
			return err
		}
		all = all[header+n:]
	}
	r.rest = append(r.rest[:0], all...)
	return nil
}

func known(k Kind) bool {
	switch k {
	case Message, Input, End, Size, Alive, Output, Errors, Taken, Opened, Bytes, Shut, Got:
		return true
	}
	return false
}
