package recordings

import (
	"path"
	"strings"
)

// Place is where the recordings of one template of the settings are.
type Place struct {
	Dir string // with which the template begins
	// patterns has one of path.Match for each element of the template below Dir.
	patterns []string
}

// PlaceOf returns the place of a template; false if even the first directory of that depends on
// the login.
func PlaceOf(template string) (p Place, ok bool) {
	elements := strings.Split(strings.TrimPrefix(template, "/"), "/")
	n := 0
	for n < len(elements)-1 && !strings.Contains(elements[n], "%") {
		n++
	}
	if n == 0 || !strings.HasPrefix(template, "/") {
		return Place{}, false
	}
	p.Dir = "/" + path.Join(elements[:n]...)
	for _, e := range elements[n:] {
		p.patterns = append(p.patterns, pattern(e))
	}
	return p, true
}

// sessionID matches what state.NewSessionID returns.
var sessionID = strings.Repeat("[a-z2-7]", 12)

// pattern returns what matches an element of a template, whatever the login is.
func pattern(element string) string {
	var b strings.Builder
	for i := 0; i < len(element); i++ {
		switch c := element[i]; {
		case c == '%' && i+1 < len(element):
			switch i++; element[i] {
			case '%':
				b.WriteByte('%')
			case 'x':
				b.WriteString(sessionID)
			default:
				b.WriteByte('*')
			}
		case strings.IndexByte(`*?[\`, c) >= 0:
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Named reports whether a file of the place can have this name: that of the template, or that with a
// number.
func (p Place) Named(name string) bool {
	last := p.patterns[len(p.patterns)-1]
	plain, _ := path.Match(last, name)
	number, _ := path.Match(last, unnumbered(name))
	return plain || number
}
