package syntax

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/go-git/gcfg/v2/scanner"
	"github.com/go-git/gcfg/v2/token"
)

// tok is one token of the file. The lit of a string is what stands in the file, quotes
// and escapes included.
type tok struct {
	kind token.Token
	lit  string
	off  int // in source.text
}

// source is the text of a file with a scanner at work on it. Some errors stop the
// scanner for good, so a new one begins after the line that is wrong.
type source struct {
	file  string
	text  []byte
	lines []int // offset of each line's first byte
	sc    scanner.Scanner
	tf    *token.File
	base  int // offset in text at which the scanner began
	fault *fault
}

// fault is an error of the scanner.
type fault struct {
	off  int
	text string
}

// explain puts the scanner's error into our words.
func (f *fault) explain() (text, hint string) {
	switch f.text {
	case "string not terminated":
		return "the quote does not end on this line", ""
	case "unknown escape sequence":
		return f.text, "a backslash itself is written twice"
	}
	return f.text, ""
}

// newSource removes what editors on other systems add: the byte order mark and the CR
// of CR LF.
func newSource(file string, src []byte) *source {
	text := bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	s := &source{file: file, text: text, lines: []int{0}}
	for i, b := range text {
		if b == '\n' && i+1 < len(text) {
			s.lines = append(s.lines, i+1)
		}
	}
	s.reset(0)
	return s
}

// reset starts a new scanner at off.
func (s *source) reset(off int) {
	s.base = off
	rest := s.text[off:]
	// Neither call can fail: the base and the size are right by construction.
	set := token.NewFileSet()
	s.tf, _ = set.AddFile(s.file, set.Base(), len(rest))
	_ = s.sc.Init(s.tf, rest, func(p token.Position, msg string) {
		if s.fault == nil {
			s.fault = &fault{off + p.Offset, msg}
		}
	}, 0)
}

func (s *source) next() tok {
	pos, kind, lit, err := s.sc.Scan()
	t := tok{kind, lit, s.base + int(pos) - s.tf.Base()}
	if err != nil && s.fault == nil {
		s.fault = &fault{t.off, "cannot parse this"}
	}
	return t
}

// skipLine goes on after the line that holds off.
func (s *source) skipLine(off int) {
	s.fault = nil
	if i := bytes.IndexByte(s.text[off:], '\n'); i >= 0 {
		s.reset(off + i + 1)
		return
	}
	s.reset(len(s.text))
}

// origin returns the place of an offset.
func (s *source) origin(off int) Origin {
	i := sort.SearchInts(s.lines, off+1) - 1
	return Origin{s.file, i + 1, off - s.lines[i] + 1}
}

// maxUnreadable is how many unreadable bytes are reported: a file of some other kind has
// thousands.
const maxUnreadable = 10

// unreadable finds what no settings file may have, not even in a comment: bytes that
// are not UTF-8, and control characters, with which a terminal would show something
// else than dockersh reads.
func (s *source) unreadable() Errors {
	var errs Errors
	for i := 0; i < len(s.text) && len(errs) < maxUnreadable; {
		r, n := utf8.DecodeRune(s.text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			errs = append(errs, &Error{s.origin(i), fmt.Sprintf("byte 0x%02x is not UTF-8", s.text[i]), "save the file as UTF-8"})
		case r == '\n' || r == '\t':
		case r < ' ' || r == 0x7f:
			errs = append(errs, &Error{s.origin(i), fmt.Sprintf("control character %U", r), ""})
		}
		i += n
	}
	return errs
}

// unquote removes quotes and escapes. at[i] is the offset in lit of byte i of the
// result, and at[len(result)] that of the end. The scanner has already found what is
// wrong with quotes and escapes. As with git, a backslash and the line end after it are
// removed (gcfg would keep the line end).
func unquote(lit string) (val string, at []int) {
	var b strings.Builder
	for i := 0; i < len(lit); i++ {
		start, c := i, lit[i]
		switch c {
		case '"':
			continue
		case '\\':
			i++
			if i == len(lit) || lit[i] == '\n' {
				continue
			}
			switch c = lit[i]; c {
			case 'n':
				c = '\n'
			case 't':
				c = '\t'
			case 'b':
				c = '\b'
			}
		}
		b.WriteByte(c)
		at = append(at, start)
	}
	return b.String(), append(at, len(lit))
}
