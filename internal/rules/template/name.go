package template

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/syntax"
)

// The name of a container has [a-zA-Z0-9][a-zA-Z0-9_.-]+ (Docker), and names a directory
// of the broker.
const (
	nameChars   = "_.-"
	maxName     = 100
	shortName   = 60   // what is left of a longer name before its hash
	nameHash    = "_-" // no escaped value has an underscore before a dash
	namePrefix  = "0_."
	namePadding = "_-"
)

// CheckContainerName judges the template of a container name, whose own text goes into
// the name as it stands. Without a sequence it is the whole name, so that a container
// made by hand can be named.
func CheckContainerName(text string) *syntax.Problem {
	t, bad := Parse(text)
	if bad != nil {
		return bad
	}
	at, variable := 0, false
	for _, p := range t {
		if p.letter != 0 {
			at, variable = at+2, true
			continue
		}
		if i := syntax.FirstOther(p.text, nameChars); i >= 0 {
			return syntax.WrongAt(at+i, fmt.Sprintf("%s is not allowed in the name of a container", syntax.Quote(firstRune(p.text[i:]))),
				"a name has letters, digits, dots, dashes and underscores")
		}
		at += len(p.text)
	}
	switch {
	case variable:
		return nil
	case !syntax.Alnum(text[0]):
		return syntax.Wrong("the name of a container begins with a letter or a digit", "")
	case len(text) < 2 || len(text) > maxName:
		return syntax.Wrong(fmt.Sprintf("the name of a container has 2 to %d characters", maxName), "")
	}
	return nil
}

// ContainerName makes the name. With one sequence in the template, two values never
// become the same name:
//   - escape can be undone, and the text around the value is the same for both;
//   - the prefix and the padding have an underscore before a dot or a dash, which escape
//     never writes, and only an empty template stands before them;
//   - of a long name only the beginning and a hash are left, and a name that merely
//     looks like that is hashed too.
//
// With several sequences two names can be equal (%u%U); Identity tells them apart.
func (t Template) ContainerName(v Vars) string {
	var b strings.Builder
	variable := false
	for _, p := range t {
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
	if name == "" || !syntax.Alnum(name[0]) {
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

// escape writes a value so that it fits a name and differs from every other: letters,
// digits, dot and dash stay, _ becomes __, any other byte _hh.
func escape(b *strings.Builder, s string) {
	for i := range len(s) {
		switch c := s[i]; {
		case syntax.Alnum(c) || c == '.' || c == '-':
			b.WriteByte(c)
		case c == '_':
			b.WriteString("__")
		default:
			fmt.Fprintf(b, "_%02x", c)
		}
	}
}

// Identity is for whom the name stands: the sequences of the template with their
// values, each once, in a fixed order, such as "u=alice,U=1000". Bytes that are not
// plain become %hh. It is empty without a sequence.
func (t Template) Identity(v Vars) string {
	var b strings.Builder
	for _, letter := range []byte(letters) {
		if !t.Uses(string(letter)) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteByte(letter)
		b.WriteByte('=')
		s := v.value(letter)
		for i := range len(s) {
			if c := s[i]; syntax.Alnum(c) || strings.IndexByte("._-@/", c) >= 0 {
				b.WriteByte(c)
			} else {
				fmt.Fprintf(&b, "%%%02x", c)
			}
		}
	}
	return b.String()
}

// Personal reports whether an identity has the user in it (%u or %U): a container of
// such a name belongs to one user alone.
func Personal(identity string) bool {
	return strings.HasPrefix(identity, "u=") || strings.HasPrefix(identity, "U=") || strings.Contains(identity, ",U=")
}
