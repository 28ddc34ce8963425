package config

import (
	"fmt"
	"strings"

	"github.com/dockersh/dockersh/internal/rules/suggest"
	"github.com/dockersh/dockersh/internal/rules/syntax"
	"github.com/dockersh/dockersh/internal/rules/template"
	"github.com/dockersh/dockersh/internal/rules/values"
)

// reader turns sections as they are written into those of a File.
type reader struct {
	user   bool   // the file is a ~/.dockersh
	known  string // hint: the sections there are
	limits syntax.Limits
	out    *File
	in     *section
	errs   syntax.Errors
	hints  int // words that were looked for near a mistyped one
}

func (r *reader) read(file string, src []byte) (*File, error) {
	sections, errs := syntax.Parse(file, src, r.limits, r.known)
	for _, s := range sections {
		r.readSection(s)
	}
	if err := append(r.errs, errs...).Err(); err != nil {
		return nil, err
	}
	return r.out, nil
}

func (r *reader) readSection(s *syntax.Section) {
	if r.limits.Reached(r.errs) || !r.enter(s) {
		return
	}
	for i := range s.Lines {
		if r.limits.Reached(r.errs) {
			return
		}
		r.assign(&s.Lines[i])
	}
}

func (r *reader) fail(at syntax.Origin, text, hint string) {
	r.errs = append(r.errs, &syntax.Error{Origin: at, Text: text, Hint: hint})
}

// enter finds or begins the section that s is a part of, and reports whether s is right.
func (r *reader) enter(s *syntax.Section) bool {
	kind := syntax.Lower(s.Kind)
	switch {
	case kind != sectionAll && kind != sectionGroup && kind != sectionUser:
		r.fail(s.KindAt, "unknown section "+syntax.Quote(s.Kind),
			r.didYouMean(kind, []string{sectionAll, sectionGroup, sectionUser}, r.known))
		return false
	case r.user && kind != sectionAll:
		r.fail(s.KindAt, fmt.Sprintf("section %q is not allowed in a user's own file", kind), r.known)
		return false
	case kind == sectionAll && s.Named:
		r.fail(s.NameAt, "section \"dockersh\" has no name", "write [dockersh]")
		return false
	case kind != sectionAll && s.Name == "":
		r.fail(s.KindAt, fmt.Sprintf("section %q needs a name", kind), fmt.Sprintf("write [%s \"NAME\"]", kind))
		return false
	case syntax.ControlCharacter(s.Name, "") != nil:
		r.fail(s.NameAt, "the name has a control character in it", "")
		return false
	}
	if r.in = r.out.section(kind, s.Name); r.in == nil {
		r.in = &section{kind: kind, name: s.Name, origin: s.KindAt, entries: map[string]*entry{}}
		r.out.sections = append(r.out.sections, r.in)
	}
	return true
}

// assign checks a setting and puts it into the section.
func (r *reader) assign(l *syntax.Line) {
	key := syntax.Lower(l.Key)
	row, known := lookup(key)
	switch {
	case !known:
		r.unknown(l.Key, l.Origin())
		return
	case r.user && !row.gate:
		r.fail(l.Origin(), fmt.Sprintf("%q is not allowed here: only the administrator can set it", key), "")
		return
	case l.Bare && row.kind() != kindBool && !row.bare:
		r.fail(l.Origin(), fmt.Sprintf("setting %q needs a value", key), fmt.Sprintf("write %s = VALUE", key))
		return
	case l.Bare:
		l.Value = "true"
	}
	array := row.kind() == kindArray
	if array && !l.Bare && !l.Quoted {
		// KEY = with nothing after it: the list begins again.
		r.in.entries[key] = &entry{origin: l.Origin()}
		return
	}
	val, bad := row.judge(l.Value)
	if bad != nil {
		r.fail(l.ValueOrigin(bad.At), key+": "+bad.Text, bad.Hint)
		return
	}
	e := r.in.entries[key]
	if e == nil || !array {
		e = &entry{}
		r.in.entries[key] = e
	}
	if len(e.vals) == 0 {
		e.origin = l.Origin()
	}
	e.vals = append(e.vals, value{text: val, at: l.ValueOrigin(0)})
}

// unknown reports a key that no setting has.
func (r *reader) unknown(key string, at syntax.Origin) {
	k := syntax.Lower(key)
	if name, ok := strings.CutPrefix(k, gatePrefix); ok {
		if _, known := lookup(name); known {
			r.fail(at, "unknown setting "+syntax.Quote(key), fmt.Sprintf("users cannot be allowed to set %q", name))
			return
		}
	}
	names := make([]string, 0, 2*len(table))
	for i := range table {
		if r.user && !table[i].gate {
			continue
		}
		names = append(names, table[i].key)
		if table[i].gate && !r.user {
			names = append(names, gatePrefix+table[i].key)
		}
	}
	r.fail(at, "unknown setting "+syntax.Quote(key), r.didYouMean(k, names, ""))
}

// maxHints is for how many mistyped words the nearest one is looked for: that takes longer
// than everything else together.
const maxHints = 20

func (r *reader) didYouMean(word string, candidates []string, otherwise string) string {
	if r.hints++; r.hints > maxHints {
		return otherwise
	}
	return suggest.Hint(word, candidates, otherwise)
}

// judge checks one value as it stands in a file, and returns what is kept of it.
func (r *row) judge(val string) (string, *syntax.Problem) {
	if bad := syntax.ControlCharacter(val, r.white); bad != nil {
		return "", bad
	}
	switch r.kind() {
	case kindBool:
		return values.Bool(val)
	case kindInt:
		return r.checked(values.Int(val))
	case kindDuration:
		return values.Duration(val)
	case kindNumber:
		return r.checked(val, nil)
	}
	// A string, or an element of an array: a template.
	if val == "" && !r.empty {
		return "", syntax.Wrong("the value may not be empty", "")
	}
	parts, bad := template.Parse(val)
	if bad != nil {
		return "", bad
	}
	if r.check == nil || val == "" {
		return val, nil
	}
	judged := val
	if !r.raw {
		judged = parts.Expand(template.Sample())
	}
	if bad := r.check(judged); bad != nil {
		if judged != val {
			bad.At = 0 // its place in the sample is not that in the file
		}
		return "", bad
	}
	if r.norm != nil {
		val = r.norm(val)
	}
	return val, nil
}

func (r *row) checked(val string, bad *syntax.Problem) (string, *syntax.Problem) {
	if bad != nil {
		return "", bad
	}
	if r.check == nil || val == "" && r.empty {
		return val, nil
	}
	return val, r.check(val)
}
