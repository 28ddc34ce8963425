// Package template replaces the %-sequences in settings, and turns them into the name of
// a container that no other user can be given by accident.
package template

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// Vars are what the %-sequences stand for. They come from the host's name service, and
// the last three from the login.
type Vars struct {
	User  string // %u
	Home  string // %h
	Shell string // %s, the one in the host's passwd
	UID   uint32 // %U
	GID   uint32 // %G

	Address string // %i, of the client
	Key     string // %k, fingerprint of the key that authenticated, in the letters of URLs
	Session string // %x
}

const (
	letters = "uhUGsikx"
	// OfLogin are the letters whose values differ for each login.
	OfLogin = "ikx"
)

// Sample returns the values of a user like most: what is wrong for them is wrong for
// everybody.
func Sample() Vars {
	return Vars{User: "user", Home: "/home/user", Shell: "/bin/sh", UID: 1000, GID: 1000, Address: "192.0.2.1",
		Key: strings.Repeat("k", 43), Session: "abcdefghijkl"}
}

// Check refuses a user for whom no template can be expanded. The error is of type
// syntax.Errors.
func (v Vars) Check() error {
	for _, c := range []struct{ what, val string }{
		{"the user name", v.User}, {"the home directory", v.Home}, {"the shell", v.Shell},
	} {
		if syntax.ControlCharacter(c.val, "") != nil || !utf8.ValidString(c.val) {
			return syntax.Errors{{Text: fmt.Sprintf("%s of %s has characters in it that are not text", c.what, syntax.Quote(v.User))}}
		}
	}
	if v.User == "" {
		return syntax.Errors{{Text: "the user has no name"}}
	}
	return nil
}

// value returns what a sequence stands for. The letter is one that Parse accepts.
func (v Vars) value(letter byte) string {
	switch letter {
	case 'u':
		return v.User
	case 'h':
		return v.Home
	case 's':
		return v.Shell
	case 'i':
		return v.Address
	case 'k':
		return v.Key
	case 'x':
		return v.Session
	case 'U':
		return strconv.FormatUint(uint64(v.UID), 10)
	default:
		return strconv.FormatUint(uint64(v.GID), 10)
	}
}

// Template is a text with %-sequences, taken apart.
type Template []part

// part is a piece of literal text, or a sequence.
type part struct {
	text   string
	letter byte // 0: text
}

// Parse takes a text apart.
func Parse(text string) (Template, *syntax.Problem) {
	var parts Template
	literal := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '%' {
			continue
		}
		if i > literal {
			parts = append(parts, part{text: text[literal:i]})
		}
		if i+1 == len(text) {
			return nil, syntax.WrongAt(i, "a single % at the end", "a percent sign itself is written %%")
		}
		switch c := text[i+1]; {
		case c == '%':
			parts = append(parts, part{text: "%"})
		case strings.IndexByte(letters, c) >= 0:
			parts = append(parts, part{letter: c})
		default:
			return nil, syntax.WrongAt(i, "unknown sequence "+syntax.Quote("%"+firstRune(text[i+1:])),
				"the sequences are %u, %h, %U, %G, %s, %i, %k, %x and %%")
		}
		i++
		literal = i + 1
	}
	if literal < len(text) {
		parts = append(parts, part{text: text[literal:]})
	}
	return parts, nil
}

func firstRune(s string) string { return string([]rune(s)[:1]) }

// Expand puts the values in. They are not expanded again: a percent sign in a user's
// name is a percent sign.
func (t Template) Expand(v Vars) string {
	var b strings.Builder
	for _, p := range t {
		if p.letter == 0 {
			b.WriteString(p.text)
		} else {
			b.WriteString(v.value(p.letter))
		}
	}
	return b.String()
}

// Uses reports whether the template has one of these sequences in it.
func (t Template) Uses(letters string) bool {
	for _, p := range t {
		if p.letter != 0 && strings.IndexByte(letters, p.letter) >= 0 {
			return true
		}
	}
	return false
}

// Uses reports whether a text has one of these sequences in it.
func Uses(text, letters string) bool {
	if strings.IndexByte(text, '%') < 0 {
		return false // as most
	}
	t, bad := Parse(text)
	return bad == nil && t.Uses(letters)
}
