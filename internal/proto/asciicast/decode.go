package asciicast

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// maxLine in bytes is more than one event takes, even if each byte is escaped.
const maxLine = 4 << 20

// maxTime is longer than any session.
const maxTime = 100 * 365 * 24 * time.Hour

// Error reports an invalid line of a recording.
type Error struct {
	Line int // from 1
	Text string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// Decoder reads a recording from a stream.
type Decoder struct {
	r    *bufio.Reader
	line int
	buf  []byte

	relative bool          // of newer
	at       time.Duration // of the last event
}

// NewDecoder returns a Decoder that reads from r.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{r: bufio.NewReaderSize(r, 64<<10)} }

// Header reads the first line. The error is an *Error or the reader's error: io.EOF
// if nothing has been recorded yet.
func (d *Decoder) Header() (Header, error) {
	line, whole, err := d.readLine()
	if err != nil {
		return Header{}, err
	}
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		if !whole {
			return Header{}, io.EOF
		}
		return Header{}, d.fail("not a recording in the asciicast format")
	}
	switch {
	case h.Version == newer && h.Term == nil:
		return Header{}, d.fail("a header of version 3 without term, the size of the terminal")
	case h.Version == newer:
		d.relative = true
		h.Width, h.Height = h.Term.Cols, h.Term.Rows
	case h.Version != version:
		return Header{}, d.fail(fmt.Sprintf("version %d of the asciicast format; only versions %d and %d are supported",
			h.Version, version, newer))
	}
	if !validSize(h.Width) || !validSize(h.Height) {
		return Header{}, d.fail("not a valid terminal size")
	}
	return Header{h.Width, h.Height, h.Timestamp, h.Title, h.Env}, nil
}

// Next reads one event. The error is an *Error or the reader's error: io.EOF at the
// end. A last line that is incomplete counts as the end.
func (d *Decoder) Next() (Event, error) {
	for {
		line, whole, err := d.readLine()
		if err != nil {
			return Event{}, err
		}
		if len(line) == 0 || d.relative && line[0] == '#' {
			continue
		}
		e, ok := parseEvent(line)
		switch {
		case ok:
			if d.relative {
				d.at = min(d.at+e.At, maxTime)
				e.At = d.at
			}
			return e, nil
		case !whole:
			return Event{}, io.EOF
		}
		return Event{}, d.fail("not an event of a recording")
	}
}

// parseEvent parses an array of time, kind and data.
func parseEvent(line []byte) (e Event, ok bool) {
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

func (d *Decoder) fail(text string) error { return &Error{d.line, text} }

// readLine reads a line and returns it without its newline, if it has one: whole. The
// line is valid until the next call.
func (d *Decoder) readLine() (line []byte, whole bool, err error) {
	d.buf = d.buf[:0]
	d.line++
	for {
		part, err := d.r.ReadSlice('\n')
		d.buf = append(d.buf, part...)
		switch {
		case len(d.buf) > maxLine:
			return nil, false, d.fail("line too long")
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
