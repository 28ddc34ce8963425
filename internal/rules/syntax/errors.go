package syntax

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Origin is the place where a setting is written. The zero value is the built-in
// default.
type Origin struct {
	File string
	Line int // from 1
	Col  int // from 1, in bytes
}

// String returns "FILE:LINE", or "default".
func (o Origin) String() string {
	if o == (Origin{}) {
		return "default"
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// Error is one thing that is wrong with a settings file.
type Error struct {
	Origin Origin // zero: a built-in default does not fit this user
	Text   string // lower case, no period, one line
	Hint   string // what to write instead; may be empty
}

// Error returns "FILE:LINE:COL: TEXT", without the hint.
func (e *Error) Error() string {
	if e.Origin == (Origin{}) {
		return "default settings: " + e.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Origin.File, e.Origin.Line, e.Origin.Col, e.Text)
}

// Errors is everything that was found wrong. As an error it is never empty.
type Errors []*Error

// most is how many errors a message counts.
const most = 9

// Error returns the first error, and how many more there are.
func (es Errors) Error() string {
	switch len(es) {
	case 0:
		return "no error"
	case 1:
		return es[0].Error()
	}
	if len(es) > most {
		return es[0].Error() + " (and more)"
	}
	return fmt.Sprintf("%s (and %d more)", es[0].Error(), len(es)-1)
}

// Unwrap lets errors.As find the single errors.
func (es Errors) Unwrap() []error {
	out := make([]error, len(es))
	for i, e := range es {
		out[i] = e
	}
	return out
}

// Err sorts the errors by their places and returns them; nil if there are none.
func (es Errors) Err() error {
	if len(es) == 0 {
		return nil
	}
	sort.SliceStable(es, func(i, j int) bool {
		a, b := es[i].Origin, es[j].Origin
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Col < b.Col
	})
	return es
}

// maxQuoted is how many bytes of a value an error repeats.
const maxQuoted = 60

// Quote returns foreign text fit for an error: one line without control characters, and
// cut off if it is long.
func Quote(s string) string {
	if len(s) > maxQuoted {
		cut := maxQuoted
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "..."
	}
	// DOM\alice is shown as it was written unless it would mislead.
	if !strings.ContainsFunc(s, func(r rune) bool { return r == '"' || !strconv.IsPrint(r) }) {
		return `"` + s + `"`
	}
	return strconv.Quote(s)
}
