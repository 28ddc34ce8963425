package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// The name of a container has [a-zA-Z0-9][a-zA-Z0-9_.-]+ (Docker), and is the
// name of a directory of ours.
const (
	nameChars   = "_.-"
	maxName     = 100
	shortName   = 60   // what is left of a longer one before its hash
	nameHash    = "_-" // no escaped value holds an underscore before a dash
	namePrefix  = "0_."
	namePadding = "_-"
)

// checkContainerName judges the template: its own text goes into the name as
// it stands. Without a sequence it is the whole name, so that a container made
// by hand can be named.
func checkContainerName(t string) *problem {
	parts, bad := split(t)
	if bad != nil {
		return bad
	}
	at, variable := 0, false
	for _, p := range parts {
		if p.letter != 0 {
			at, variable = at+2, true
			continue
		}
		if i, ok := only(p.text, nameChars); !ok {
			return &problem{at + i, fmt.Sprintf("%s may not stand in the name of a container", quote(firstRune(p.text[i:]))),
				"a name has letters, digits, dots, dashes and underscores"}
		}
		at += len(p.text)
	}
	switch {
	case variable:
		return nil
	case !alnum(t[0]):
		return &problem{0, "the name of a container begins with a letter or a digit", ""}
	case len(t) < 2 || len(t) > maxName:
		return &problem{0, fmt.Sprintf("the name of a container has 2 to %d characters", maxName), ""}
	}
	return nil
}

func firstRune(s string) string { return string([]rune(s)[:1]) }

// containerName makes the name. With one sequence in the template, two values
// never give the same name:
//   - escape can be undone, and the text around it is the same for both;
//   - the prefix and the padding hold an underscore before a dot or a dash,
//     which escape never writes, and only an empty template stands before them;
//   - of a long name only hash and beginning are left, and what merely looks
//     like that is hashed too.
//
// With several sequences they can meet (%u%U); Identity tells them apart.
func containerName(parts []part, v Vars) string {
	var b strings.Builder
	variable := false
	for _, p := range parts {
		if p.letter == 0 {
			b.WriteString(p.text)
			continue
		}
		variable = true
		escape(&b, v.value(p.letter))
	}
	name := b.String()
	if !variable {
		return name
	}
	if name == "" || !alnum(name[0]) {
		name = namePrefix + name
	}
	if len(name) < 2 {
		name += namePadding
	}
	if len(name) > maxName || looksHashed(name) {
		sum := sha256.Sum256([]byte(name))
		name = name[:shortName] + nameHash + hex.EncodeToString(sum[:16])
	}
	return name
}

func looksHashed(name string) bool {
	tail := shortName + len(nameHash)
	return len(name) == tail+32 && name[shortName:tail] == nameHash && strings.Trim(name[tail:], "0123456789abcdef") == ""
}

// escape writes a value so that it fits a name and can be told from any other:
// letters, digits, dot and dash stay, _ is __, any other byte _hh.
func escape(b *strings.Builder, s string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case alnum(c) || c == '.' || c == '-':
			b.WriteByte(c)
		case c == '_':
			b.WriteString("__")
		default:
			fmt.Fprintf(b, "_%02x", c)
		}
	}
}

// identity gives the sequences of a template with their values, each once, in
// an order of its own: "u=alice,U=1000". Bytes that are not plain are %hh.
func identity(parts []part, v Vars) string {
	var b strings.Builder
	for _, letter := range []byte("uhUGsikx") {
		if !uses(parts, string(letter)) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteByte(letter)
		b.WriteByte('=')
		s := v.value(letter)
		for i := 0; i < len(s); i++ {
			if c := s[i]; alnum(c) || strings.IndexByte("._-@/", c) >= 0 {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "%%%02x", c)
			}
		}
	}
	return b.String()
}
