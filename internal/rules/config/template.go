package config

import (
	"strconv"
	"strings"
)

// Vars are what the %-sequences stand for. They come from the name service of
// the host, and the last three from the login.
type Vars struct {
	User  string // %u
	Home  string // %h
	Shell string // %s, the one in the host's passwd
	UID   uint32 // %U
	GID   uint32 // %G

	Address string // %i, of the client; these three are looked for only where Uses says so
	Key     string // %k, fingerprint of the key that authenticated, in letters of URLs
	Session string // %x
}

const sequences = "%u, %h, %U, %G, %s, %i, %k, %x and %%"

// ofTheLogin are the sequences that each login brings anew.
const ofTheLogin = "ikx"

// Uses says, before Expand, that some setting has this sequence in it.
func (s *Settings) Uses(letter byte) bool { return s.UsedBy(letter) != "" }

// UsedBy gives, before Expand, the first setting that has this sequence in it;
// empty: none has.
func (s *Settings) UsedBy(letter byte) string {
	for i := range table {
		if r := &table[i]; r.kind != kindString && r.kind != kindArray {
			continue
		}
		for _, v := range s.state[table[i].key].vals {
			if mentions(v.text, string(letter)) {
				return table[i].key
			}
		}
	}
	return ""
}

// mentions tells whether a template has one of these sequences in it.
func mentions(t, letters string) bool {
	if strings.IndexByte(t, '%') < 0 {
		return false // as most
	}
	parts, bad := split(t)
	return bad == nil && uses(parts, letters)
}

// value gives what a sequence stands for. The letter is one that split takes.
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

// part is a piece of a template: literal text, or a sequence.
type part struct {
	text   string
	letter byte // 0: text
}

// split takes a template to pieces.
func split(t string) ([]part, *problem) {
	var parts []part
	text := 0
	for i := 0; i < len(t); i++ {
		if t[i] != '%' {
			continue
		}
		if i > text {
			parts = append(parts, part{text: t[text:i]})
		}
		if i+1 == len(t) {
			return nil, &problem{i, "a single % at the end", "a percent sign itself is written %%"}
		}
		switch c := t[i+1]; c {
		case '%':
			parts = append(parts, part{text: "%"})
		case 'u', 'h', 's', 'U', 'G', 'i', 'k', 'x':
			parts = append(parts, part{letter: c})
		default:
			r := []rune(t[i+1:])[0]
			return nil, &problem{i, "unknown sequence " + quote("%"+string(r)), "there are " + sequences}
		}
		i++
		text = i + 1
	}
	if text < len(t) {
		parts = append(parts, part{text: t[text:]})
	}
	return parts, nil
}

// join puts the values in. They are not looked at again: a percent sign in a
// user's name is a percent sign.
func join(parts []part, v Vars) string {
	var b strings.Builder
	for _, p := range parts {
		if p.letter == 0 {
			b.WriteString(p.text)
		} else {
			b.WriteString(v.value(p.letter))
		}
	}
	return b.String()
}

func uses(parts []part, letters string) bool {
	for _, p := range parts {
		if p.letter != 0 && strings.IndexByte(letters, p.letter) >= 0 {
			return true
		}
	}
	return false
}
