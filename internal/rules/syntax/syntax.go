// Package syntax reads the language of settings files, which is that of git's
// configuration files: sections, and in them a setting a line. It knows no settings.
// Whatever is wrong is an Error with its place in the file.
package syntax

import (
	"fmt"
	"strings"
	"unicode"
)

// Section is what stands below one [KIND] or [KIND "NAME"]. A section of the same kind
// and name may follow.
type Section struct {
	Kind   string // as it is written
	Name   string // empty unless Named
	Named  bool
	KindAt Origin
	NameAt Origin // of the bracket if there is no name
	Lines  []Line
}

// Line is one setting.
type Line struct {
	Key    string // as it is written
	Value  string // quotes and escapes removed
	Bare   bool   // there is no equals sign
	Quoted bool   // something follows the equals sign, if only ""

	src    *source
	keyOff int
	valOff int
	at     []int // of each byte of Value, and of its end, from valOff
}

// Origin returns the place of the key.
func (l *Line) Origin() Origin { return l.src.origin(l.keyOff) }

// ValueOrigin returns the place of byte i of the value, which may be one past its end.
// A bare line has the place of its key.
func (l *Line) ValueOrigin(i int) Origin {
	if l.Bare {
		return l.Origin()
	}
	if l.Value == "" {
		return l.src.origin(l.valOff)
	}
	return l.src.origin(l.valOff + l.at[i])
}

// Limits are how long a file may be, and a value, in bytes, how many settings a file may
// have, and how many errors are reported, after which the rest is not read; 0 is no limit.
type Limits struct{ Size, Value, Settings, Errors int }

// Reached reports whether there are as many errors as are reported.
func (l Limits) Reached(errs Errors) bool { return l.Errors > 0 && len(errs) >= l.Errors }

// Parse reads a file. It returns the sections in the order of the file, and everything that
// is wrong, unsorted; what is wrong is not in the sections. known is a hint that names the
// sections there are.
func Parse(file string, src []byte, limits Limits, known string) ([]*Section, Errors) {
	if limits.Size > 0 && len(src) > limits.Size {
		return nil, Errors{{Origin{file, 1, 1}, fmt.Sprintf("the file is larger than %d KiB", limits.Size>>10), ""}}
	}
	p := &parser{source: newSource(file, src), limits: limits, known: known}
	if errs := p.unreadable(); errs != nil {
		return nil, errs
	}
	p.run()
	return p.out, p.errs
}

// Problem is what is wrong with a value.
type Problem struct {
	At   int // byte of the value; at most its length
	Text string
	Hint string
}

// Wrong returns the Problem of a whole value. The hint may be empty.
func Wrong(text, hint string) *Problem { return WrongAt(0, text, hint) }

// WrongAt returns a Problem that begins at a byte of the value.
func WrongAt(at int, text, hint string) *Problem { return &Problem{At: at, Text: text, Hint: hint} }

// ControlCharacter finds a control character that is not among the allowed ones; nil if
// there is none. Escapes such as \n write them.
func ControlCharacter(s, allowed string) *Problem {
	for i, c := range s {
		if unicode.IsControl(c) && !strings.ContainsRune(allowed, c) {
			return WrongAt(i, fmt.Sprintf("control character %U", c), "")
		}
	}
	return nil
}

// FirstOther returns the place of the first byte that is not a letter, a digit or one of
// extra; -1 if there is none.
func FirstOther(s, extra string) int {
	for i := range len(s) {
		if !Alnum(s[i]) && strings.IndexByte(extra, s[i]) < 0 {
			return i
		}
	}
	return -1
}

// Alnum reports whether c is a letter or a digit of ASCII.
func Alnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// Lower folds ASCII alone: Unicode's folding would read a Kelvin sign as a k.
func Lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
