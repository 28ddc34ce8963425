package programs

import (
	"bytes"
	"errors"
)

// MaxOutput is how much is kept, in bytes, of what a process of a user writes. The process
// is in the user's hands, and may write without end.
const MaxOutput = 4 << 10

var errTooMuch = errors.New("too much output")

// Capped keeps the first bytes that are written to it. With further ones it ends the writer.
type Capped struct {
	End func()

	kept    bytes.Buffer
	tooMuch bool
}

func (o *Capped) Write(p []byte) (int, error) {
	room := MaxOutput - o.kept.Len()
	o.kept.Write(p[:min(len(p), room)])
	if len(p) <= room {
		return len(p), nil
	}
	o.tooMuch = true
	o.End()
	return 0, errTooMuch
}

// String returns what is kept.
func (o *Capped) String() string { return o.kept.String() }

// TooMuch reports whether more was written.
func (o *Capped) TooMuch() bool { return o.tooMuch }
