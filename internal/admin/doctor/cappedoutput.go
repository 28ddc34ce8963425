package doctor

import (
	"bytes"
	"errors"
)

// maxOutput is how much is kept, in bytes, of what a process of a user writes. The process
// is in the user's hands, and may write without end.
const maxOutput = 4 << 10

var errMuch = errors.New("too much output")

// cappedOutput keeps the first bytes that are written to it. With further ones it ends whoever
// writes them.
type cappedOutput struct {
	buf  bytes.Buffer
	end  func() // ends the writer
	much bool
}

func (o *cappedOutput) Write(p []byte) (int, error) {
	room := maxOutput - o.buf.Len()
	o.buf.Write(p[:min(len(p), room)])
	if len(p) <= room {
		return len(p), nil
	}
	o.much = true
	o.end()
	return 0, errMuch
}
