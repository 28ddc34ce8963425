// Package printable makes foreign text safe to show on a terminal and to write to
// a log. Foreign is whatever a user, a client, a container or an engine wrote.
package printable

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxLine is the length of the longest result of Line, in bytes.
const MaxLine = 1000

// Text returns s with a question mark in place of every character that would
// steer a terminal, hide, or change the direction of the text around it, and of
// every byte that is not UTF-8. The result has as many characters as s.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if IsUnsafe(r) {
			return '?'
		}
		return r
	}, s)
}

// Line returns s as one line of at most MaxLine bytes, without the characters and
// bytes that Text replaces: tabs and ends of lines, together with the blanks around
// them, become one blank, and none is left at either end. A longer text ends in
// "...".
func Line(s string) string {
	out := make([]byte, 0, min(len(s), MaxLine)+utf8.UTFMax)
	blanks, folded := 0, false
	for _, r := range s {
		switch {
		case r == ' ' || isBreak(r):
			blanks++
			folded = folded || r != ' '
			continue
		case IsUnsafe(r):
			continue
		case folded:
			blanks = 1
		}
		if len(out) > 0 {
			out = append(out, strings.Repeat(" ", blanks)...)
		}
		blanks, folded = 0, false
		if out = utf8.AppendRune(out, r); len(out) > MaxLine {
			return cut(string(out))
		}
	}
	return string(out)
}

// JSON returns a text in JSON with an escape in place of every character that is not
// printable ASCII, which JSON has within strings alone: it means the same, and can be shown
// on any terminal.
func JSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if r < 0x7f {
			out = append(out, byte(r))
		} else {
			out = AppendEscape(out, r)
		}
	}
	return out
}

// AppendEscape appends the escape of a character within a string of JSON.
func AppendEscape(to []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
		return appendUnit(appendUnit(to, high), low)
	}
	return appendUnit(to, r)
}

func appendUnit(to []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(to, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// cut shortens valid UTF-8 of more than MaxLine bytes.
func cut(s string) string {
	const more = "..."
	end := MaxLine - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}

// isBreak reports whether r separates words on different lines or in different
// columns.
func isBreak(r rune) bool {
	return r >= '\t' && r <= '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// IsUnsafe reports whether r must not reach a terminal. Joiners (U+200C, U+200D)
// may: languages and emoji need them.
func IsUnsafe(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0: // control characters
		return true
	case r < 0x061c:
		return false
	case r == utf8.RuneError, // not UTF-8
		r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, // direction (CVE-2021-42574)
		r == 0x2028, r == 0x2029, // separators of lines and paragraphs
		r == 0x200b, r >= 0x2060 && r <= 0x2065, r >= 0x206a && r <= 0x206f, r == 0xfeff, r >= 0xe0000 && r <= 0xe007f: // invisible
		return true
	}
	return false
}
