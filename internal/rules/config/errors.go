package config

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Origin is the place where a setting was written. The zero value is the
// built-in default.
type Origin struct {
	File string
	Line int // from 1
	Col  int // from 1, in bytes
}

// String gives "FILE:LINE", or "default".
func (o Origin) String() string {
	if o == (Origin{}) {
		return "default"
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// Error is one thing wrong with a settings file.
type Error struct {
	Origin Origin // zero: a built-in default does not fit this user
	Text   string // lower case, no period, one line
	Hint   string // what to write instead; may be empty
}

// Error gives "FILE:LINE:COL: TEXT", without the hint.
func (e *Error) Error() string {
	if e.Origin == (Origin{}) {
		return "default settings: " + e.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Origin.File, e.Origin.Line, e.Origin.Col, e.Text)
}

// Errors is everything wrong that was found, in the order of the files' lines.
// It is never empty. Parse, ParseUser, Effective and Expand return no other
// error.
type Errors []*Error

// Error gives the first error and says how many more there are.
func (es Errors) Error() string {
	switch len(es) {
	case 0:
		return "no error"
	case 1:
		return es[0].Error()
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

// orNil sorts the errors and makes an empty list a nil error.
func (es Errors) orNil() error {
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

// maxQuoted is how much of a value an error repeats.
const maxQuoted = 60

// quote shows foreign text in an error: one line, no control characters, and
// not the whole of it when it is long.
func quote(s string) string {
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
