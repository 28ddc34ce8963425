// Package asciicast writes recordings of terminals in the format asciicast v2
// (https://docs.asciinema.org/manual/asciicast/v2/), and reads these and v3: one line of JSON
// for the header, and one for each event. It opens no files.
package asciicast

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dockersh/dockersh/internal/proto/printable"
)

// version of the format that is written. In newer, the size stands elsewhere in the header, and
// the time of an event is that since the last one.
const version, newer = 2, 3

// Header is the first line of a recording.
type Header struct {
	Width, Height int   // of the terminal at the start, in characters
	Timestamp     int64 // of the start, in seconds since 1970; 0 if unknown
	Title         string
	Env           map[string]string // TERM and SHELL
}

// Kinds of events. Players skip all others.
const (
	Output = "o" // Data was written to the terminal
	Resize = "r" // Data is the new size, as SizeData formats it
	Marker = "m" // Data is a remark for the viewer
)

// Event is one line after the header.
type Event struct {
	At   time.Duration // since the start
	Kind string
	Data string
}

// header is the JSON of a Header.
type header struct {
	Version   int               `json:"version"`
	Width     int               `json:"width"`
	Height    int               `json:"height"`
	Timestamp int64             `json:"timestamp,omitempty"`
	Title     string            `json:"title,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	Term      *term             `json:"term,omitempty"` // of newer
}

type term struct{ Cols, Rows int }

// AppendHeader appends the line for h to b.
func AppendHeader(b []byte, h Header) []byte {
	line, err := json.Marshal(header{version, h.Width, h.Height, h.Timestamp, h.Title, h.Env, nil})
	if err != nil {
		panic(err) // numbers and strings can always be encoded
	}
	return append(append(b, printable.JSON(line)...), '\n')
}

// AppendEvent appends the line for an event to b, with its time in microseconds.
// JSON cannot represent bytes that are not UTF-8: each becomes U+FFFD.
func AppendEvent[T string | []byte](b []byte, at time.Duration, kind string, data T) []byte {
	us := max(at, 0).Microseconds()
	b = append(b, '[')
	b = strconv.AppendInt(b, us/1e6, 10)
	b = append(b, '.')
	b = append(b, strconv.FormatInt(1e6+us%1e6, 10)[1:]...)
	b = append(b, `, "`...)
	b = appendText(b, kind)
	b = append(b, `", "`...)
	b = appendText(b, data)
	return append(b, "\"]\n"...)
}

const hex = "0123456789abcdef"

// appendText appends s, escaped for a JSON string, without the quotes. What steers a
// terminal is escaped too: the file may be shown by another program than a player.
func appendText[T string | []byte](b []byte, s T) []byte {
	from := 0 // start of what was not yet copied
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < 0x7f {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(len(s), i+utf8.UTFMax)]))
			if !printable.IsUnsafe(r) {
				i += size
				continue
			}
			if size > 1 {
				b = printable.AppendEscape(append(b, s[from:i]...), r)
				i += size
				from = i
				continue
			}
		}
		b = append(b, s[from:i]...)
		switch {
		case c >= utf8.RuneSelf:
			b = append(b, `\ufffd`...)
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(b, s[from:]...)
}

// SizeData returns the Data of a Resize event.
func SizeData(width, height int) string { return fmt.Sprintf("%dx%d", width, height) }

// maxSize is the kernel's limit for the size of a terminal.
const maxSize = 1<<16 - 1

// Size parses the Data of a Resize event; ok is false for any other event.
func (e Event) Size() (width, height int, ok bool) {
	w, h, ok := strings.Cut(e.Data, "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	if !ok || e.Kind != Resize || err1 != nil || err2 != nil || !validSize(width) || !validSize(height) {
		return 0, 0, false
	}
	return width, height, true
}

func validSize(n int) bool { return n >= 0 && n <= maxSize }
