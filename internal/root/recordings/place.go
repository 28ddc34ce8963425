package recordings

import (
	"path"
	"path/filepath"
	"strings"
)

// Place is where the recordings of one template of the settings are.
type Place struct {
	Dir string // with which the template begins
	// patterns has one of path.Match for each element of the template below Dir.
	patterns []string
	others   []other
	real     string // Dir without links; only if there are others
}

// PlaceOf returns the place of a template; false if even the first directory of that depends on
// the login.
func PlaceOf(template string) (p Place, ok bool) {
	p = placeOf(template)
	if p.Dir == "/" || !strings.HasPrefix(template, "/") {
		return Place{}, false
	}
	return p, true
}

func placeOf(template string) (p Place) {
	elements := strings.Split(path.Clean(template)[1:], "/")
	n := 0
	for n < len(elements)-1 && !strings.Contains(elements[n], "%") {
		n++
	}
	p.Dir = "/" + path.Join(elements[:n]...)
	for _, e := range elements[n:] {
		p.patterns = append(p.patterns, pattern(e))
	}
	return p
}

// other is a template that another limit counts for.
type other struct {
	Place
	deep bool // it has all below what its patterns match
}

// Except returns the place without what other templates can have named.
func (p Place) Except(templates []string) Place {
	if len(templates) > 0 {
		p.real = withoutLinks(p.Dir)
	}
	for _, t := range templates {
		before, deep := beforePath(t)
		o := other{placeOf(before), deep}
		o.Dir = withoutLinks(o.Dir)
		p.others = append(p.others, o)
	}
	return p
}

func withoutLinks(dir string) string {
	if at, err := filepath.EvalSymlinks(dir); err == nil {
		return at
	}
	return dir // it is not there yet
}

// beforePath ends a template where it has a path of unknown depth: home (%h) or shell (%s).
func beforePath(template string) (before string, deep bool) {
	for i := 0; i+1 < len(template); i++ {
		if template[i] != '%' {
			continue
		}
		if i++; template[i] == 'h' || template[i] == 's' {
			return template[:i] + "u", true
		}
	}
	return template, false
}

// othersIn returns the other templates that can have named files of a directory of the place.
func (p Place) othersIn(dir string) (all []other) {
	if len(p.others) == 0 {
		return nil
	}
	real := p.real + strings.TrimPrefix(dir, p.Dir)
	for _, o := range p.others {
		if names, ok := o.in(real); ok {
			all = append(all, names)
		}
	}
	return all
}

// in returns what has a name that the other template can have in a directory.
func (o other) in(dir string) (names other, ok bool) {
	below, ok := strings.CutPrefix(dir+"/", strings.TrimSuffix(o.Dir, "/")+"/")
	if !ok {
		return other{}, false
	}
	for len(o.patterns) > 1 || o.deep && len(o.patterns) > 0 {
		element, rest, more := strings.Cut(below, "/")
		if !more {
			break
		}
		if matches, _ := path.Match(o.patterns[0], element); !matches {
			return other{}, false
		}
		below, o.patterns = rest, o.patterns[1:]
	}
	return o, len(o.patterns) == 0 || below == "" && len(o.patterns) == 1
}

// has reports whether a name is one of what in returned.
func (o other) has(name string) bool { return len(o.patterns) == 0 || o.Named(name) }

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
				b.WriteString(strings.Repeat("[a-z2-7]", 12)) // as state.NewSessionID
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
