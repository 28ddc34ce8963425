package asciicast

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxLine in bytes is more than any terminal gives at a time, each byte of it
// escaped.
const maxLine = 4 << 20

// maxTime is longer than anybody's session.
const maxTime = 100 * 365 * 24 * time.Hour

// Error says which line of a recording is wrong.
type Error struct {
	Line int // from 1
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// Decoder reads a recording.
type Decoder struct {
	r    *bufio.Reader
	line int
	buf  []byte
}

// NewDecoder reads from r, a line at a time.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{r: bufio.NewReaderSize(r, 64<<10)} }

// Header reads the first line. The error is an *Error, or that of the reader;
// io.EOF where nothing was recorded yet.
func (d *Decoder) Header() (Header, error) {
	line, whole, err := d.next()
	if err != nil {
		return Header{}, err
	}
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		if !whole {
			return Header{}, io.EOF
		}
		return Header{}, d.wrong("not a recording in the format asciicast")
	}
	if h.Version != version {
		return Header{}, d.wrong(fmt.Sprintf("version %d of the format asciicast, and only %d is known", h.Version, version))
	}
	if !isSize(h.Width) || !isSize(h.Height) {
		return Header{}, d.wrong("not the size of a terminal")
	}
	return Header{h.Width, h.Height, h.Timestamp, h.Title, h.Env}, nil
}

// Next reads an event. The error is an *Error, or that of the reader, io.EOF at the
// end: a last line that was not finished is the end, too.
func (d *Decoder) Next() (Event, error) {
	for {
		line, whole, err := d.next()
		if err != nil {
			return Event{}, err
		}
		if len(line) == 0 {
			continue
		}
		e, ok := event(line)
		switch {
		case ok:
			return e, nil
		case !whole:
			return Event{}, io.EOF
		}
		return Event{}, d.wrong("not an event of a recording")
	}
}

func event(line []byte) (e Event, ok bool) {
	var f []json.RawMessage
	if json.Unmarshal(line, &f) != nil || len(f) != 3 {
		return e, false
	}
	var seconds *float64
	var kind, data *string
	if json.Unmarshal(f[0], &seconds) != nil || json.Unmarshal(f[1], &kind) != nil || json.Unmarshal(f[2], &data) != nil {
		return e, false
	}
	if seconds == nil || kind == nil || data == nil || !(*seconds >= 0 && *seconds <= maxTime.Seconds()) {
		return e, false
	}
	return Event{time.Duration(*seconds*1e6+0.5) * time.Microsecond, *kind, *data}, true
}

func (d *Decoder) wrong(text string) error { return &Error{d.line, text} }

// next reads a line, without its end; whole tells that it has one. It is good until
// the next call.
func (d *Decoder) next() (line []byte, whole bool, err error) {
	d.buf = d.buf[:0]
	d.line++
	for {
		part, err := d.r.ReadSlice('\n')
		d.buf = append(d.buf, part...)
		switch {
		case len(d.buf) > maxLine:
			return nil, false, d.wrong("too long")
		case err == nil:
			return d.buf[:len(d.buf)-1], true, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(d.buf) > 0:
			return d.buf, false, nil
		default:
			return nil, false, err
		}
	}
}
